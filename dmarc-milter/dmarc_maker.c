#include "dmarc-milter/dmarc_maker.h"

#include "common/base/ip.h"
#include "dmarc-milter/dmarc_flat.h"

/* Most records that are in memory at once, and most of it that they take. */
#define SLICE_RECORDS 10000
#define SLICE_OCTETS ((size_t)16 << 20)

/* Columns of a policy. */
static const enum dmarc_flat_column policy_columns[] = {
    DMARC_FLAT_P,    DMARC_FLAT_SP, DMARC_FLAT_NP,      DMARC_FLAT_ADKIM,
    DMARC_FLAT_ASPF, DMARC_FLAT_FO, DMARC_FLAT_TESTING,
};
#define POLICY_COLUMNS (sizeof(policy_columns) / sizeof(policy_columns[0]))

/* Columns of a record. */
static const enum dmarc_flat_column record_columns[] = {
    DMARC_FLAT_SOURCE_IP,   DMARC_FLAT_DISPOSITION,   DMARC_FLAT_DKIM,       DMARC_FLAT_SPF,
    DMARC_FLAT_HEADER_FROM, DMARC_FLAT_ENVELOPE_FROM, DMARC_FLAT_SPF_DOMAIN, DMARC_FLAT_SPF_SCOPE,
    DMARC_FLAT_SPF_RESULT,  DMARC_FLAT_REASONS,       DMARC_FLAT_SIGNATURES,
};
#define RECORD_COLUMNS (sizeof(record_columns) / sizeof(record_columns[0]))

/* The work on one domain and day. */
struct job {
    const struct dmarc_maker *maker;
    struct dmarc_make_result *result;
    struct am_problem *problem;
    struct am_arena *arena; /* for all of it */
    const char *instance, *policy_domain;
    int64_t day, sequence;

    /* Of the policy at hand. */
    struct dmarc_flat policy;
    struct dmarc_rua rua;
    const char *error;
};

static bool no_memory(struct job *job)
{
    return am_problem_set(job->problem, "out of memory");
}

/* --- one report --- */

static bool keep(struct job *job, const struct dmarc_made *made)
{
    const struct dmarc_maker *maker = job->maker;
    struct dmarc_query *report = dmarc_query_new(
        maker->db,
        "INSERT INTO reports(day, policy_domain, sequence, report_id, receiver, file, records,"
        " messages, made, size, content) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
        job->problem);
    struct dmarc_query *delivery = dmarc_query_new(
        maker->db,
        "INSERT INTO deliveries(report, uri, address, state, reason, attempts, next_try)"
        " VALUES(?1, ?2, '', 'waiting', '', 0, ?3)",
        job->problem);
    bool good = report != NULL && delivery != NULL;

    if (good) {
        dmarc_query_set_int(report, 1, job->day);
        dmarc_query_set_text(report, 2, job->policy_domain);
        dmarc_query_set_int(report, 3, job->sequence);
        dmarc_query_set_text(report, 4, made->report_id);
        dmarc_query_set_text(report, 5, maker->receiver);
        dmarc_query_set_text(report, 6, made->file);
        dmarc_query_set_int(report, 7, (int64_t)made->records);
        dmarc_query_set_int(report, 8, made->messages);
        dmarc_query_set_int(report, 9, maker->now_s);
        dmarc_query_set_int(report, 10, (int64_t)made->content.len);
        dmarc_query_set_octets(report, 11, made->content);
        good = dmarc_query_run(report, job->problem);
    }
    int64_t id = good ? dmarc_db_last_id(maker->db) : 0;
    for (size_t i = 0; good && i < job->rua.count; i++) {
        dmarc_query_set_int(delivery, 1, id);
        dmarc_query_set_text(delivery, 2, job->rua.uris[i].address);
        dmarc_query_set_int(delivery, 3, maker->now_s);
        good = dmarc_query_run(delivery, job->problem);
    }
    dmarc_query_free(report);
    dmarc_query_free(delivery);
    return good;
}

static bool compress(const struct job *job, const struct dmarc_report_record *records, size_t count,
                     const char *report_id, struct am_buf *out)
{
    const struct dmarc_maker *maker = job->maker;
    struct dmarc_report report = {
        .org_name = maker->org_name,
        .email = maker->email,
        .extra_contact_info = maker->extra_contact_info,
        .generator = maker->generator,
        .report_id = report_id,
        .error = job->error,
        .begin_s = job->day * DMARC_REPORT_DAY_S,
        .end_s = (job->day + 1) * DMARC_REPORT_DAY_S - 1,
        .records = records,
        .count = count,
    };
    struct am_buf xml;

    am_buf_init(&xml, 0);
    bool good = dmarc_flat_row(&job->policy, job->arena, &report.policy) &&
                dmarc_report_xml(&report, &xml) && dmarc_report_gzip(am_buf_span(&xml), out);
    am_buf_fini(&xml);
    return good;
}

static bool hand_over(struct job *job, const struct dmarc_report_record *records, size_t count,
                      const struct dmarc_report_name *name, const char *report_id,
                      struct am_span content)
{
    const struct dmarc_maker *maker = job->maker;
    struct dmarc_made made = {
        .policy_domain = job->policy_domain,
        .day = job->day,
        .report_id = report_id,
        .file = dmarc_report_file(name, job->arena),
        .records = count,
        .content = content,
        .rua = &job->rua,
    };

    if (made.file == NULL)
        return no_memory(job);
    for (size_t i = 0; i < count; i++)
        made.messages += records[i].count;
    if (!maker->dry_run && !keep(job, &made))
        return false;
    job->sequence++;
    job->result->reports++;
    job->result->messages += made.messages;
    return maker->take(maker->user, &made, job->problem);
}

/* Makes one report of the records, or of each half of them when it would be too large. */
static bool make_report(struct job *job, const struct dmarc_report_record *records, size_t count)
{
    const struct dmarc_report_name name = {
        .instance = job->instance,
        .receiver = job->maker->receiver,
        .policy_domain = job->policy_domain,
        .day = job->day,
        .sequence = job->sequence,
    };
    char report_id[DMARC_REPORT_ID_MAX];
    struct am_buf content;
    bool good;

    am_buf_init(&content, 0);
    dmarc_report_id(&name, report_id);
    if (!compress(job, records, count, report_id, &content))
        good = no_memory(job);
    else if (content.len > job->maker->octets_max && count > 1)
        good = make_report(job, records, count / 2) &&
               make_report(job, records + count / 2, count - count / 2);
    else
        good = hand_over(job, records, count, &name, report_id, am_buf_span(&content));
    am_buf_fini(&content);
    return good;
}

/* --- records --- */

/* Appends "AND p=?3 AND sp=?4 ...". */
static void add_policy_terms(struct am_buf *text)
{
    for (size_t i = 0; i < POLICY_COLUMNS; i++)
        am_buf_printf(text, " AND %s=?%zu", dmarc_flat_name(policy_columns[i]), i + 3);
}

/* Makes a statement about the rows of the policy at hand. Frees the text. */
static struct dmarc_query *ask_policy(struct job *job, struct am_buf *text)
{
    struct dmarc_query *query = NULL;

    if (text->failed)
        no_memory(job);
    else
        query = dmarc_query_new(job->maker->db, am_buf_str(text), job->problem);
    am_buf_fini(text);
    if (query == NULL)
        return NULL;
    dmarc_query_set_int(query, 1, job->day);
    dmarc_query_set_text(query, 2, job->policy_domain);
    for (size_t i = 0; i < POLICY_COLUMNS; i++)
        dmarc_query_set_text(query, (int)i + 3, job->policy.text[policy_columns[i]]);
    return query;
}

static struct dmarc_query *ask_records(struct job *job)
{
    struct am_buf text;

    am_buf_init(&text, 0);
    am_buf_add_str(&text, "SELECT count(*)");
    for (size_t i = 0; i < RECORD_COLUMNS; i++)
        am_buf_printf(&text, ", %s", dmarc_flat_name(record_columns[i]));
    am_buf_add_str(&text, " FROM rows WHERE day=?1 AND policy_domain=?2");
    add_policy_terms(&text);
    am_buf_add_str(&text, " GROUP BY 2");
    for (size_t i = 1; i < RECORD_COLUMNS; i++)
        am_buf_printf(&text, ", %zu", i + 2);
    am_buf_add_str(&text, " ORDER BY 2, 1 DESC, 6, 7, 12, 3, 10, 11");
    return ask_policy(job, &text);
}

static bool read_record(struct job *job, struct dmarc_query *query, struct am_arena *arena,
                        struct dmarc_report_record *out)
{
    struct dmarc_flat flat = job->policy;

    for (size_t i = 0; i < RECORD_COLUMNS; i++) {
        const char *text = dmarc_query_text(query, (int)i + 1);
        if ((flat.text[record_columns[i]] = am_arena_copy(arena, am_span_str(text))) == NULL)
            return false;
    }
    out->count = dmarc_query_int(query, 0);
    return dmarc_flat_row(&flat, arena, &out->row);
}

/* Makes reports of all records of the policy, a slice at a time. */
static bool make_slices(struct job *job, struct dmarc_query *query, struct am_arena *arena,
                        struct dmarc_report_record *records)
{
    enum dmarc_query_step step = DMARC_QUERY_ROW;

    while (step == DMARC_QUERY_ROW) {
        size_t count = 0;

        am_arena_reset(arena);
        while (count < SLICE_RECORDS && am_arena_used(arena) < SLICE_OCTETS &&
               (step = dmarc_query_step(query, job->problem)) == DMARC_QUERY_ROW) {
            struct am_ip ip;

            if (!read_record(job, query, arena, &records[count]))
                return no_memory(job);
            /* A record is about an address: what came over a local socket has none. */
            if (am_ip_parse(&ip, am_span_str(records[count].row.source_ip)))
                count++;
            else
                job->result->without_address += records[count].count;
        }
        if (step == DMARC_QUERY_FAILED || (count > 0 && !make_report(job, records, count)))
            return false;
    }
    return true;
}

static bool make_records(struct job *job)
{
    struct am_arena *arena = am_arena_new(65536, 0);
    struct dmarc_report_record *records =
        am_arena_alloc(job->arena, SLICE_RECORDS * sizeof(*records));
    struct dmarc_query *query = NULL;
    bool good = false;

    if (arena == NULL || records == NULL)
        no_memory(job);
    else if ((query = ask_records(job)) != NULL)
        good = make_slices(job, query, arena, records);
    dmarc_query_free(query);
    am_arena_free(arena);
    return good;
}

/* --- policies --- */

/* Where the newest row of the policy wants reports. */
static bool find_rua(struct job *job)
{
    struct am_buf text;

    am_buf_init(&text, 0);
    am_buf_add_str(&text, "SELECT rua FROM rows WHERE day=?1 AND policy_domain=?2");
    add_policy_terms(&text);
    am_buf_add_str(&text, " ORDER BY time DESC, id DESC LIMIT 1");
    struct dmarc_query *query = ask_policy(job, &text);
    bool good = query != NULL && dmarc_query_step(query, job->problem) == DMARC_QUERY_ROW;
    if (good)
        dmarc_rua_parse(&job->rua, job->arena, am_span_str(dmarc_query_text(query, 0)),
                        job->maker->uris_max);
    dmarc_query_free(query);
    return good;
}

/* What the domain's owner may want to mend. */
static bool write_error(struct job *job, int64_t left_out)
{
    struct am_buf text;

    am_buf_init(&text, 0);
    if (job->rua.malformed > 0)
        am_buf_printf(&text, "rua: %zu of the addresses cannot be used. ", job->rua.malformed);
    if (job->rua.left_over > 0)
        am_buf_printf(&text, "rua: %zu addresses are more than we send to. ", job->rua.left_over);
    if (left_out > 0)
        am_buf_printf(&text,
                      "The record changed more than %d times this day: %lld messages are in no "
                      "report. ",
                      DMARC_MAKER_POLICIES_MAX - 1, (long long)left_out);
    job->error = am_arena_copy(job->arena, am_span_trim(am_buf_span(&text)));
    am_buf_fini(&text);
    return job->error != NULL || no_memory(job);
}

/* A policy of the day, and how many messages were judged by it. */
struct policy {
    const char *text[POLICY_COLUMNS];
    int64_t messages;
};

static bool make_policy(struct job *job, const struct policy *policy, int64_t left_out)
{
    job->policy = (struct dmarc_flat){.time_s = job->day * DMARC_REPORT_DAY_S};
    for (size_t i = 0; i < DMARC_FLAT_COLUMNS; i++)
        job->policy.text[i] = "";
    job->policy.text[DMARC_FLAT_POLICY_DOMAIN] = job->policy_domain;
    for (size_t i = 0; i < POLICY_COLUMNS; i++)
        job->policy.text[policy_columns[i]] = policy->text[i];
    if (!find_rua(job))
        return false;
    if (job->rua.count == 0) {
        job->result->unwanted += policy->messages;
        return true;
    }
    return write_error(job, left_out) && make_records(job);
}

/* Lists policies, the newest first. Those beyond the most are counted. */
static bool list_policies(struct job *job, struct policy *list, size_t *count, int64_t *left_out)
{
    struct dmarc_query *query = dmarc_query_new(
        job->maker->db,
        "SELECT p, sp, np, adkim, aspf, fo, testing, count(*) FROM rows"
        " WHERE day=?1 AND policy_domain=?2 GROUP BY 1, 2, 3, 4, 5, 6, 7 ORDER BY max(time) DESC",
        job->problem);
    enum dmarc_query_step step = DMARC_QUERY_FAILED;

    *count = 0;
    *left_out = 0;
    if (query == NULL)
        return false;
    dmarc_query_set_int(query, 1, job->day);
    dmarc_query_set_text(query, 2, job->policy_domain);
    while ((step = dmarc_query_step(query, job->problem)) == DMARC_QUERY_ROW) {
        if (*count == DMARC_MAKER_POLICIES_MAX) {
            *left_out += dmarc_query_int(query, POLICY_COLUMNS);
            continue;
        }
        struct policy *policy = &list[(*count)++];
        policy->messages = dmarc_query_int(query, POLICY_COLUMNS);
        for (size_t i = 0; i < POLICY_COLUMNS; i++)
            if ((policy->text[i] = am_arena_copy(
                     job->arena, am_span_str(dmarc_query_text(query, (int)i)))) == NULL)
                step = DMARC_QUERY_FAILED;
        if (step == DMARC_QUERY_FAILED) {
            no_memory(job);
            break;
        }
    }
    dmarc_query_free(query);
    return step == DMARC_QUERY_END;
}

/* --- all of it --- */

static bool ask_one(struct job *job, const char *statement, bool of_domain, int64_t *number,
                    const char **text)
{
    struct dmarc_query *query = dmarc_query_new(job->maker->db, statement, job->problem);

    if (query == NULL)
        return false;
    if (of_domain) {
        dmarc_query_set_int(query, 1, job->day);
        dmarc_query_set_text(query, 2, job->policy_domain);
    }
    bool good = dmarc_query_step(query, job->problem) == DMARC_QUERY_ROW;
    if (good && number != NULL)
        *number = dmarc_query_int(query, 0);
    if (good && text != NULL)
        *text = am_arena_copy(job->arena, am_span_str(dmarc_query_text(query, 0)));
    dmarc_query_free(query);
    return good;
}

static bool make_all(struct job *job)
{
    struct policy policies[DMARC_MAKER_POLICIES_MAX];
    const struct dmarc_due due = {.policy_domain = job->policy_domain, .day = job->day};
    int64_t left_out;
    size_t count;

    if (!ask_one(job, "SELECT value FROM meta WHERE name='instance'", false, NULL,
                 &job->instance) ||
        !ask_one(job,
                 "SELECT coalesce(max(sequence), 0) + 1 FROM reports"
                 " WHERE day=?1 AND policy_domain=?2",
                 true, &job->sequence, NULL) ||
        !list_policies(job, policies, &count, &left_out))
        return false;
    if (job->instance == NULL)
        return no_memory(job);
    for (size_t i = 0; i < count; i++)
        if (!make_policy(job, &policies[i], i == 0 ? left_out : 0))
            return false;
    job->result->left_out = left_out;
    return job->maker->dry_run || dmarc_due_drop(job->maker->db, &due, job->problem);
}

bool dmarc_maker_run(const struct dmarc_maker *maker, const char *policy_domain, int64_t day,
                     struct dmarc_make_result *result, struct am_problem *problem)
{
    struct job job = {
        .maker = maker,
        .result = result,
        .problem = problem,
        .arena = am_arena_new(65536, 0),
        .policy_domain = policy_domain,
        .day = day,
    };
    bool good = false;

    *result = (struct dmarc_make_result){0};
    if (job.arena == NULL)
        return no_memory(&job);
    if (maker->dry_run ? dmarc_db_run(maker->db, "BEGIN", problem)
                       : dmarc_db_begin(maker->db, problem)) {
        good = make_all(&job);
        if (good && !maker->dry_run)
            good = dmarc_db_commit(maker->db, problem);
        else
            dmarc_db_rollback(maker->db);
    }
    if (!good)
        *result = (struct dmarc_make_result){0};
    am_arena_free(job.arena);
    return good;
}
