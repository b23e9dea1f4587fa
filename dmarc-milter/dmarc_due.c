#include "dmarc-milter/dmarc_maker.h"

/* Days and domains that rows wait for. */

static bool read_list(struct dmarc_query *query, size_t most, struct am_arena *arena,
                      struct dmarc_due *list, size_t *count, struct am_problem *problem)
{
    enum dmarc_query_step step = DMARC_QUERY_END;

    while (*count < most && (step = dmarc_query_step(query, problem)) == DMARC_QUERY_ROW) {
        struct dmarc_due *due = &list[(*count)++];

        due->day = dmarc_query_int(query, 0);
        due->policy_domain = am_arena_copy(arena, am_span_str(dmarc_query_text(query, 1)));
        due->rows = dmarc_query_int(query, 2);
        if (due->policy_domain == NULL)
            return am_problem_set(problem, "out of memory");
    }
    return step != DMARC_QUERY_FAILED;
}

bool dmarc_due_list(struct dmarc_db *db, const struct dmarc_due_filter *filter,
                    struct am_arena *arena, struct dmarc_due **list, size_t *count,
                    struct am_problem *problem)
{
    struct dmarc_query *query = dmarc_query_new(
        db,
        "SELECT day, policy_domain, count(*) FROM rows WHERE day < ?1 AND (?2 < 0 OR day = ?2)"
        " AND (?3 IS NULL OR policy_domain = ?3) GROUP BY day, policy_domain"
        " ORDER BY day, policy_domain LIMIT ?4",
        problem);

    *count = 0;
    *list = am_arena_alloc(arena, (filter->most + 1) * sizeof(**list));
    if (query == NULL || *list == NULL) {
        dmarc_query_free(query);
        return query != NULL ? am_problem_set(problem, "out of memory") : false;
    }
    dmarc_query_set_int(query, 1, filter->before_day);
    dmarc_query_set_int(query, 2, filter->day);
    dmarc_query_set_text(query, 3, filter->domain);
    dmarc_query_set_int(query, 4, (int64_t)filter->most);
    bool good = read_list(query, filter->most, arena, *list, count, problem);
    dmarc_query_free(query);
    return good;
}

bool dmarc_due_drop(struct dmarc_db *db, const struct dmarc_due *due, struct am_problem *problem)
{
    struct dmarc_query *query =
        dmarc_query_new(db, "DELETE FROM rows WHERE day=?1 AND policy_domain=?2", problem);

    if (query == NULL)
        return false;
    dmarc_query_set_int(query, 1, due->day);
    dmarc_query_set_text(query, 2, due->policy_domain);
    bool good = dmarc_query_run(query, problem);
    dmarc_query_free(query);
    return good;
}
