#include "dmarc-milter/dmarc_delivery.h"

#define KEEP_S (60 * INT64_C(86400))

static const char *const words[] = {
    [DMARC_DELIVERY_SENT] = "sent",
    [DMARC_DELIVERY_REFUSED] = "refused",
    [DMARC_DELIVERY_WAITING] = "waiting",
    [DMARC_DELIVERY_GIVEN_UP] = "given_up",
};

const char *dmarc_delivery_word(enum dmarc_delivery_state state)
{
    return words[state];
}

/* --- claiming --- */

static const char *copy(struct am_arena *arena, struct dmarc_query *query, int column)
{
    return am_arena_copy(arena, am_span_str(dmarc_query_text(query, column)));
}

static bool read_delivery(struct dmarc_query *query, struct am_arena *arena,
                          struct dmarc_delivery *out)
{
    struct am_span content = dmarc_query_octets(query, 9);

    *out = (struct dmarc_delivery){
        .id = dmarc_query_int(query, 0),
        .report = dmarc_query_int(query, 1),
        .address = copy(arena, query, 2),
        .attempts = dmarc_query_int(query, 3) + 1,
        .policy_domain = copy(arena, query, 4),
        .day = dmarc_query_int(query, 5),
        .report_id = copy(arena, query, 6),
        .receiver = copy(arena, query, 7),
        .file = copy(arena, query, 8),
        .content = am_span_of(am_arena_copy(arena, content), content.len),
        .records = dmarc_query_int(query, 10),
        .messages = dmarc_query_int(query, 11),
    };
    return out->address != NULL && out->policy_domain != NULL && out->report_id != NULL &&
           out->receiver != NULL && out->file != NULL && out->content.ptr != NULL;
}

static bool find(struct dmarc_db *db, const struct dmarc_delivery_filter *filter,
                 struct am_arena *arena, struct dmarc_delivery *delivery, bool *found,
                 struct am_problem *problem)
{
    struct dmarc_query *query = dmarc_query_new(
        db,
        "SELECT d.id, d.report, d.uri, d.attempts, r.policy_domain, r.day, r.report_id, r.receiver,"
        " r.file, r.content, r.records, r.messages"
        " FROM deliveries AS d JOIN reports AS r ON r.id = d.report"
        " WHERE d.ended IS NULL AND d.next_try <= ?1 AND (?2 < 0 OR r.day = ?2)"
        " AND (?3 IS NULL OR r.policy_domain = ?3) ORDER BY d.report, d.id LIMIT 1",
        problem);

    if (query == NULL)
        return false;
    dmarc_query_set_int(query, 1, filter->now_s);
    dmarc_query_set_int(query, 2, filter->day);
    dmarc_query_set_text(query, 3, filter->domain);
    enum dmarc_query_step step = dmarc_query_step(query, problem);
    *found = step == DMARC_QUERY_ROW;
    bool good = step != DMARC_QUERY_FAILED && (!*found || read_delivery(query, arena, delivery) ||
                                               am_problem_set(problem, "out of memory"));
    dmarc_query_free(query);
    return good;
}

static bool mark(struct dmarc_db *db, const struct dmarc_delivery *delivery, int64_t now_s,
                 struct am_problem *problem)
{
    struct dmarc_query *query = dmarc_query_new(
        db, "UPDATE deliveries SET state='sending', attempts=?2, next_try=?3 WHERE id=?1", problem);

    if (query == NULL)
        return false;
    dmarc_query_set_int(query, 1, delivery->id);
    dmarc_query_set_int(query, 2, delivery->attempts);
    dmarc_query_set_int(query, 3, now_s + DMARC_DELIVERY_CLAIM_S);
    bool good = dmarc_query_run(query, problem);
    dmarc_query_free(query);
    return good;
}

bool dmarc_delivery_claim(struct dmarc_db *db, const struct dmarc_delivery_filter *filter,
                          struct am_arena *arena, struct dmarc_delivery *delivery, bool *found,
                          struct am_problem *problem)
{
    if (!dmarc_db_begin(db, problem))
        return false;
    if (find(db, filter, arena, delivery, found, problem) &&
        (!*found || mark(db, delivery, filter->now_s, problem)))
        return dmarc_db_commit(db, problem);
    dmarc_db_rollback(db);
    return false;
}

/* --- ending --- */

static int64_t delay_s(int64_t attempts)
{
    return (int64_t)DMARC_DELIVERY_RETRY_S << (attempts < 1 ? 0 : attempts > 8 ? 7 : attempts - 1);
}

bool dmarc_delivery_end(struct dmarc_db *db, const struct dmarc_delivery *delivery,
                        struct dmarc_delivery_end *end, struct am_problem *problem)
{
    struct dmarc_query *query =
        dmarc_query_new(db,
                        "UPDATE deliveries SET state=?2, address=?3, reason=?4, next_try=?5,"
                        " ended=CASE WHEN ?2='waiting' THEN NULL ELSE ?6 END WHERE id=?1",
                        problem);

    if (query == NULL)
        return false;
    if (end->state == DMARC_DELIVERY_WAITING && delivery->attempts >= DMARC_DELIVERY_ATTEMPTS_MAX)
        end->state = DMARC_DELIVERY_GIVEN_UP;
    end->next_try_s = end->now_s + delay_s(delivery->attempts);
    dmarc_query_set_int(query, 1, delivery->id);
    dmarc_query_set_text(query, 2, dmarc_delivery_word(end->state));
    dmarc_query_set_text(query, 3, end->addresses);
    dmarc_query_set_text(query, 4, end->reason);
    dmarc_query_set_int(query, 5, end->next_try_s);
    dmarc_query_set_int(query, 6, end->now_s);
    bool good = dmarc_query_run(query, problem);
    dmarc_query_free(query);
    return good;
}

/* --- looking --- */

bool dmarc_delivery_has(struct dmarc_db *db, int64_t report, const char *address, bool *has,
                        struct am_problem *problem)
{
    struct dmarc_query *query =
        dmarc_query_new(db,
                        "SELECT count(*) FROM deliveries WHERE report=?1 AND state='sent'"
                        " AND instr(' ' || address || ' ', ' ' || ?2 || ' ') > 0",
                        problem);

    if (query == NULL)
        return false;
    dmarc_query_set_int(query, 1, report);
    dmarc_query_set_text(query, 2, address);
    bool good = dmarc_query_step(query, problem) == DMARC_QUERY_ROW;
    *has = good && dmarc_query_int(query, 0) > 0;
    dmarc_query_free(query);
    return good;
}

bool dmarc_delivery_count(struct dmarc_db *db, int64_t *count, struct am_problem *problem)
{
    struct dmarc_query *query =
        dmarc_query_new(db, "SELECT count(*) FROM deliveries WHERE ended IS NULL", problem);
    bool good = query != NULL && dmarc_query_step(query, problem) == DMARC_QUERY_ROW;

    *count = good ? dmarc_query_int(query, 0) : 0;
    dmarc_query_free(query);
    return good;
}

bool dmarc_delivery_tidy(struct dmarc_db *db, int64_t now_s, struct am_problem *problem)
{
    struct dmarc_query *query =
        dmarc_query_new(db,
                        "DELETE FROM reports WHERE made < ?1 AND NOT EXISTS"
                        " (SELECT 1 FROM deliveries WHERE report=reports.id AND ended IS NULL)",
                        problem);

    if (query == NULL)
        return false;
    dmarc_query_set_int(query, 1, now_s - KEEP_S);
    bool good = dmarc_query_run(query, problem);
    dmarc_query_free(query);
    return good &&
           dmarc_db_run(db,
                        "UPDATE reports SET content=NULL WHERE content IS NOT NULL AND NOT EXISTS"
                        " (SELECT 1 FROM deliveries WHERE report=reports.id AND ended IS NULL)",
                        problem);
}
