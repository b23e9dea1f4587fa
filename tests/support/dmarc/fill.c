/*
 * Fills a store with rows as a milter does.
 *
 *     dmarc-fill PLACE [INSTANCE] <ROWS
 *
 * Each line is a word and its value, an empty line ends a row: `times 3` adds it three times;
 * `signature domain selector result` and `reason type comment` may be repeated. What a row does not
 * say is as in the row before. With INSTANCE the file is given that name, so that reports of it
 * have names that are known.
 */

#include <stdio.h>
#include <stdlib.h>

#include "common/base/arena.h"
#include "common/base/log.h"
#include "dmarc-milter/dmarc_db.h"
#include "dmarc-milter/dmarc_store.h"

static struct dmarc_row row = {
    .policy_domain = "",
    .p = "none",
    .sp = "",
    .np = "",
    .adkim = "r",
    .aspf = "r",
    .fo = "0",
    .testing = "n",
    .rua = "",
    .source_ip = "192.0.2.1",
    .disposition = "none",
    .dkim = "fail",
    .spf = "fail",
    .header_from = "",
    .envelope_from = "",
    .spf_domain = "",
    .spf_scope = "mfrom",
    .spf_result = "none",
};

static const struct {
    const char *name;
    const char **place;
} words[] = {
    {"policy_domain", &row.policy_domain},
    {"p", &row.p},
    {"sp", &row.sp},
    {"np", &row.np},
    {"adkim", &row.adkim},
    {"aspf", &row.aspf},
    {"fo", &row.fo},
    {"testing", &row.testing},
    {"rua", &row.rua},
    {"source_ip", &row.source_ip},
    {"disposition", &row.disposition},
    {"dkim", &row.dkim},
    {"spf", &row.spf},
    {"header_from", &row.header_from},
    {"envelope_from", &row.envelope_from},
    {"spf_domain", &row.spf_domain},
    {"spf_scope", &row.spf_scope},
    {"spf_result", &row.spf_result},
};

static _Noreturn void stop(const char *why)
{
    fprintf(stderr, "dmarc-fill: %s\n", why);
    exit(1);
}

/* Texts live as long as the program. */
static struct am_arena *texts;

static char *keep(const char *text)
{
    char *copy = am_arena_copy(texts, am_span_str(text));

    if (copy == NULL)
        stop("out of memory");
    return copy;
}

static const char *part(char **rest)
{
    const char *text = strsep(rest, " ");

    return text == NULL ? "" : text;
}

static int take(const char *word, char *value)
{
    int times = -1;

    if (strcmp(word, "times") == 0) {
        times = atoi(value);
    } else if (strcmp(word, "time") == 0) {
        row.time_s = atoll(value);
    } else if (strcmp(word, "signature") == 0 && row.signature_count < DMARC_ROW_DKIM_MAX) {
        struct dmarc_row_dkim *signature = &row.signatures[row.signature_count++];
        signature->domain = part(&value);
        signature->selector = part(&value);
        signature->result = part(&value);
    } else if (strcmp(word, "reason") == 0 && row.reason_count < DMARC_ROW_REASONS_MAX) {
        row.reasons[row.reason_count].type = part(&value);
        row.reasons[row.reason_count++].comment = value == NULL ? "" : value;
    } else {
        size_t i = 0;
        while (i < sizeof(words) / sizeof(words[0]) && strcmp(words[i].name, word) != 0)
            i++;
        if (i == sizeof(words) / sizeof(words[0]))
            stop(word);
        *words[i].place = value;
    }
    return times;
}

static void add(struct dmarc_store *store, int times)
{
    for (int i = 0; i < times; i++)
        if (!dmarc_store_add(store, &row))
            stop("a row is lost");
    row.signature_count = row.reason_count = 0;
}

static void fill(struct dmarc_store *store)
{
    char line[8192];
    int times = 1;
    bool open = false;

    while (fgets(line, sizeof(line), stdin) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        if (line[0] == '#')
            continue;
        if (line[0] == '\0') {
            if (open)
                add(store, times);
            open = false;
            times = 1;
            continue;
        }
        char *rest = keep(line);
        const char *word = part(&rest);
        int found = take(word, rest == NULL ? keep("") : rest);
        times = found >= 0 ? found : times;
        open = true;
    }
    if (open)
        add(store, times);
}

static void name_instance(const char *path, const char *instance)
{
    const struct dmarc_db_options options = {.path = path, .wait_ms = 5000};
    struct am_problem problem;
    struct dmarc_db *db = dmarc_db_open(&options, &problem);
    struct dmarc_query *query =
        db == NULL
            ? NULL
            : dmarc_query_new(db, "UPDATE meta SET value=?1 WHERE name='instance'", &problem);

    if (query == NULL)
        stop(problem.text);
    dmarc_query_set_text(query, 1, instance);
    if (!dmarc_query_run(query, &problem))
        stop(problem.text);
    dmarc_query_free(query);
    dmarc_db_close(db);
}

int main(int argc, char **argv)
{
    const struct am_log_options log = {.level = AM_LOG_NOTICE};
    struct am_problem problem;

    if (argc < 2 || argc > 3)
        stop("usage: dmarc-fill PLACE [INSTANCE]");
    am_log_open("dmarc-fill", &log);
    texts = am_arena_new(65536, 0);
    if (texts == NULL)
        stop("out of memory");
    /* Rows of a test are of a day that was long ago. */
    const struct dmarc_store_options options = {
        .where = argv[1], .keep_ms = INT64_C(100000) * 86400000, .queue_max = 100000};
    struct dmarc_store *store = dmarc_store_open(&options, &problem);
    if (store == NULL)
        stop(problem.text);
    fill(store);
    bool good = dmarc_store_wait(store, 60000);
    dmarc_store_drop(store);
    if (!good)
        stop("the rows were not written");
    if (argc == 3)
        name_instance(argv[1], argv[2]);
    am_arena_free(texts);
    return 0;
}
