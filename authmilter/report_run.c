#include "authmilter/report_run.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <unistd.h>

#include "authmilter/report_mail.h"
#include "common/base/clock.h"
#include "common/mail/domain.h"
#include "dmarc-milter/dmarc_consent.h"
#include "dmarc-milter/dmarc_maker.h"

/* How long another process may hold the database. */
#define WAIT_MS 15000

/* How long the DNS may take for one address. */
#define DNS_MS 20000

/* A day counts as over a little later: milters write what they have kept back. */
#define GRACE_S 600

/* --- files --- */

static bool write_all(int fd, struct am_span octets)
{
    while (octets.len > 0) {
        ssize_t n = write(fd, octets.ptr, octets.len);

        if (n < 0 && errno != EINTR)
            return false;
        if (n > 0)
            octets = am_span_of(octets.ptr + n, octets.len - (size_t)n);
    }
    return true;
}

/* The name holds nothing but what domain names hold, and "!". */
static bool write_file(const struct report_run *run, const struct dmarc_made *made,
                       struct am_problem *problem)
{
    char path[PATH_MAX];

    if (snprintf(path, sizeof(path), "%s/%s", run->output, made->file) >= (int)sizeof(path))
        return am_problem_set(problem, "%s: the path is too long", run->output);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644);
    bool good = fd >= 0 && write_all(fd, made->content);
    int error = errno;
    if (fd >= 0 && close(fd) != 0 && good) {
        good = false;
        error = errno;
    }
    return good || am_problem_set(problem, "%s cannot be written: %s", path, strerror(error));
}

/* --- consent --- */

static bool ask_consent(const struct report_run *run, struct am_arena *arena,
                        const char *policy_domain, const char *address,
                        struct dmarc_consent *consent)
{
    struct dmarc_names names = {
        .resolver = run->resolver,
        .arena = arena,
        .deadline_us = am_deadline_in_ms(am_clock_system(), DNS_MS),
    };
    const struct dmarc_uri uri = {address, strrchr(address, '@') + 1};

    return dmarc_consent_ask(consent, &names, policy_domain, &uri);
}

/* What follows from an answer other than yes. */
static enum dmarc_delivery_state without_consent(const struct dmarc_consent *consent)
{
    return consent->status == DMARC_CONSENT_UNKNOWN ? DMARC_DELIVERY_WAITING
                                                    : DMARC_DELIVERY_REFUSED;
}

static const char *join(struct am_arena *arena, const char *const *addresses, size_t count)
{
    const char *all = "";

    for (size_t i = 0; i < count && all != NULL; i++)
        all = am_arena_printf(arena, "%s%s%s", all, i == 0 ? "" : " ", addresses[i]);
    return all;
}

/* --- making --- */

/* Of a dry run: says who would get the report. */
static bool foresee(struct report_run *run, const struct dmarc_made *made,
                    struct am_problem *problem)
{
    for (size_t i = 0; i < made->rua->count; i++) {
        struct am_arena *arena = am_arena_new(8192, 0);
        struct dmarc_delivery_end end = {
            .state = DMARC_DELIVERY_SENT, .addresses = "", .reason = ""};
        struct dmarc_consent consent;
        bool good = arena != NULL && ask_consent(run, arena, made->policy_domain,
                                                 made->rua->uris[i].address, &consent);

        if (good && consent.count == 0) {
            end.state = without_consent(&consent);
            end.reason = consent.why;
        } else if (good) {
            good = (end.addresses = join(arena, consent.addresses, consent.count)) != NULL;
        }
        if (good)
            report_print_delivery(&run->print, made->rua->uris[i].address, &end);
        am_arena_free(arena);
        if (!good)
            return am_problem_set(problem, "out of memory");
    }
    return true;
}

static bool take_made(void *user, const struct dmarc_made *made, struct am_problem *problem)
{
    struct report_run *run = user;
    const struct report_print_report report = {
        .domain = made->policy_domain,
        .report_id = made->report_id,
        .file = made->file,
        .day = made->day,
        .records = (int64_t)made->records,
        .messages = made->messages,
        .octets = made->content.len,
    };

    if (run->output != NULL && !write_file(run, made, problem))
        return false;
    if (!run->dry_run)
        return true;
    report_print_report(&run->print, &report);
    return foresee(run, made, problem);
}

static bool make_one(struct report_run *run, const struct dmarc_due *due,
                     struct am_problem *problem)
{
    const struct report_conf *conf = run->conf;
    const struct dmarc_maker maker = {
        .db = run->db,
        .receiver = conf->receiver,
        .org_name = conf->org_name,
        .email = conf->email,
        .extra_contact_info = conf->extra_contact_info,
        .generator = "authmilter " AM_VERSION,
        .octets_max = report_mail_room((size_t)conf->max_size),
        .uris_max = (size_t)conf->max_recipients,
        .now_s = run->now_s,
        .dry_run = run->dry_run,
        .take = take_made,
        .user = run,
    };
    struct dmarc_make_result result;

    if (!am_domain_is_valid(am_span_str(due->policy_domain))) {
        report_print_without(&run->print, due->policy_domain, due->day, due->rows,
                             "this is no domain name");
        return run->dry_run || dmarc_due_drop(run->db, due, problem);
    }
    if (!dmarc_maker_run(&maker, due->policy_domain, due->day, &result, problem))
        return false;
    if (result.unwanted > 0)
        report_print_without(&run->print, due->policy_domain, due->day, result.unwanted,
                             "rua names no address that can be used");
    if (result.left_out > 0)
        report_print_without(&run->print, due->policy_domain, due->day, result.left_out,
                             "the record changed too often that day");
    if (result.without_address > 0)
        report_print_without(&run->print, due->policy_domain, due->day, result.without_address,
                             "their clients had no IP address");
    return true;
}

static bool make_all(struct report_run *run, struct am_problem *problem)
{
    const struct dmarc_due_filter filter = {
        /* A dry run may look at a day that is not over. */
        .before_day = run->dry_run && run->day >= 0 ? run->day + 1
                                                    : (run->now_s - GRACE_S) / DMARC_REPORT_DAY_S,
        .day = run->day,
        .domain = run->domain,
        .most = (size_t)run->conf->max_reports + 1,
    };
    struct am_arena *arena = am_arena_new(65536, 0);
    struct dmarc_due *list;
    size_t count;

    if (arena == NULL)
        return am_problem_set(problem, "out of memory");
    bool good = dmarc_due_list(run->db, &filter, arena, &list, &count, problem);
    for (size_t i = 0; good && i < count; i++) {
        if ((int64_t)i == run->conf->max_reports)
            run->more = true;
        else
            good = make_one(run, &list[i], problem);
    }
    am_arena_free(arena);
    return good;
}

/* --- sending --- */

/* Leaves out who got this report under another name of the rua. */
static bool without_doubles(struct report_run *run, const struct dmarc_delivery *delivery,
                            struct dmarc_consent *consent, struct am_problem *problem)
{
    size_t kept = 0;

    for (size_t i = 0; i < consent->count; i++) {
        bool has;

        if (!dmarc_delivery_has(run->db, delivery->report, consent->addresses[i], &has, problem))
            return false;
        if (!has)
            consent->addresses[kept++] = consent->addresses[i];
    }
    consent->count = kept;
    return true;
}

static bool send_mail(struct report_run *run, const struct dmarc_delivery *delivery,
                      const struct dmarc_consent *consent, struct am_problem *problem)
{
    const struct report_mail mail = {
        .from = run->conf->email,
        .recipients = consent->addresses,
        .recipient_count = consent->count,
        .policy_domain = delivery->policy_domain,
        .receiver = delivery->receiver,
        .org_name = run->conf->org_name,
        .report_id = delivery->report_id,
        .file = delivery->file,
        .day = delivery->day,
        .records = delivery->records,
        .messages = delivery->messages,
        .now_s = run->now_s,
        .content = delivery->content,
    };
    struct am_buf text;

    am_buf_init(&text, 0);
    bool good = report_mail_write(&mail, &text)
                    ? report_mail_send(run->conf->sendmail, run->conf->sender, consent->addresses,
                                       consent->count, am_buf_span(&text), problem)
                    : am_problem_set(problem, "no mail can be made of it");
    am_buf_fini(&text);
    return good;
}

/* Tries a delivery that is claimed. Returns false when the database fails. */
static bool try_delivery(struct report_run *run, struct am_arena *arena,
                         const struct dmarc_delivery *delivery, struct dmarc_delivery_end *end,
                         struct am_problem *problem)
{
    struct dmarc_consent consent;
    struct am_problem why;

    /* What stands in a file may be of others, and sendmail has options. */
    if (dmarc_rua_address(arena, am_span_str(delivery->address)) == NULL) {
        end->state = DMARC_DELIVERY_REFUSED;
        end->reason = "this is no address";
        return true;
    }
    if (!ask_consent(run, arena, delivery->policy_domain, delivery->address, &consent))
        return am_problem_set(problem, "out of memory");
    if (consent.count == 0) {
        end->state = without_consent(&consent);
        end->reason = consent.why;
        return true;
    }
    end->state = DMARC_DELIVERY_SENT;
    if (!without_doubles(run, delivery, &consent, problem))
        return false;
    if (consent.count == 0) {
        end->reason = "under another address of the same rua";
        return true;
    }
    end->addresses = join(arena, consent.addresses, consent.count);
    if (end->addresses == NULL)
        return am_problem_set(problem, "out of memory");
    if (!send_mail(run, delivery, &consent, &why)) {
        end->state = DMARC_DELIVERY_WAITING;
        end->addresses = "";
        end->reason = am_arena_copy(arena, am_span_str(why.text));
    }
    return end->reason != NULL || am_problem_set(problem, "out of memory");
}

static bool send_one(struct report_run *run, struct am_arena *arena,
                     const struct dmarc_delivery *delivery, struct am_problem *problem)
{
    const struct report_print_report report = {
        .domain = delivery->policy_domain,
        .report_id = delivery->report_id,
        .file = delivery->file,
        .day = delivery->day,
        .records = delivery->records,
        .messages = delivery->messages,
        .octets = delivery->content.len,
    };
    struct dmarc_delivery_end end = {.addresses = "", .reason = "", .now_s = run->now_s};

    if (!try_delivery(run, arena, delivery, &end, problem) ||
        !dmarc_delivery_end(run->db, delivery, &end, problem))
        return false;
    report_print_report(&run->print, &report);
    report_print_delivery(&run->print, delivery->address, &end);
    run->trouble |= end.state == DMARC_DELIVERY_WAITING || end.state == DMARC_DELIVERY_GIVEN_UP;
    return true;
}

static bool send_all(struct report_run *run, struct am_problem *problem)
{
    const struct dmarc_delivery_filter filter = {
        .now_s = run->now_s, .day = run->day, .domain = run->domain};
    struct am_arena *arena = am_arena_new(65536, 0);
    bool good = arena != NULL || am_problem_set(problem, "out of memory"), found = true;

    for (int64_t sent = 0; good && found; sent++) {
        struct dmarc_delivery delivery;

        if (sent == run->conf->max_mails) {
            run->more = true;
            break;
        }
        good = dmarc_delivery_claim(run->db, &filter, arena, &delivery, &found, problem);
        if (good && found)
            good = send_one(run, arena, &delivery, problem);
        am_arena_reset(arena);
    }
    am_arena_free(arena);
    return good;
}

/* --- the run --- */

/* Returns whether reports may be made of what the database holds: see dmarc_drain(). */
static bool drain(struct report_run *run, struct dmarc_drained *drained)
{
    struct am_problem problem;
    struct dmarc_place place;

    if (dmarc_place_parse(&place, run->conf->stream, &problem) &&
        dmarc_drain(&place, run->db, drained, &problem))
        return true;
    fprintf(stderr,
            "authmilter dmarc-report: stream: %s; no new reports are made before its rows are "
            "taken\n",
            problem.text);
    run->trouble = true;
    return false;
}

static bool work(struct report_run *run, struct am_problem *problem)
{
    struct dmarc_drained drained = {0};
    struct report_print_end end = {0};
    bool whole = true;

    if (run->conf->stream[0] != '\0' && !run->dry_run) {
        whole = drain(run, &drained);
        end.drained = &drained;
    }
    if ((whole && !make_all(run, problem)) || (!run->dry_run && !send_all(run, problem)) ||
        !dmarc_delivery_count(run->db, &end.waiting, problem) ||
        (!run->dry_run && !dmarc_delivery_tidy(run->db, run->now_s, problem)))
        return false;
    end.more = run->more;
    return report_print_end(&run->print, &end) ||
           am_problem_set(problem, "standard output cannot be written");
}

bool report_run(struct report_run *run, struct am_problem *problem)
{
    const struct dmarc_db_options options = {
        .path = run->conf->database,
        .create = run->conf->stream[0] != '\0' && !run->dry_run,
        .only_read = run->dry_run,
        .wait_ms = WAIT_MS,
    };

    if (!report_print_begin(&run->print))
        return am_problem_set(problem, "out of memory");
    run->db = dmarc_db_open(&options, problem);
    if (run->db == NULL)
        return false;
    bool good = work(run, problem);
    dmarc_db_close(run->db);
    return good;
}
