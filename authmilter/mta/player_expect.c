#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "authmilter/mta/player.h"
#include "authmilter/mta/terms.h"
#include "authmilter/mta/text.h"

bool mta_player_takes(const char **text, const char *words)
{
    size_t len = strlen(words);
    if (strncmp(*text, words, len) != 0 || ((*text)[len] != '\0' && (*text)[len] != ' '))
        return false;
    *text += len + strspn(*text + len, " ");
    return true;
}

static bool matches(const char *pattern, const char *text)
{
    return mta_text_matches(am_span_str(pattern), am_span_str(text));
}

/* --- the answer --- */

static void expect_outcome(struct mta_player *player, const struct mta_script_line *line,
                           enum mta_outcome wanted, const char *pattern)
{
    enum mta_outcome outcome = player->reply.outcome;
    if (outcome == MTA_ACCEPT)
        outcome = MTA_CONTINUE;
    if (outcome != wanted)
        mta_player_fail(player, line, "expected %s, the answer was %s %s", line->text,
                        mta_outcome_word(player->reply.outcome), player->reply.text);
    else if (pattern[0] != '\0' && !matches(pattern, player->reply.text))
        mta_player_fail(player, line, "expected %s, the reply was %s", pattern, player->reply.text);
}

static void expect_accepted(struct mta_player *player, const struct mta_script_line *line,
                            const char *text)
{
    expect_outcome(player, line, MTA_CONTINUE, text);
}

static void expect_refused(struct mta_player *player, const struct mta_script_line *line,
                           const char *text)
{
    expect_outcome(player, line, MTA_REJECT, text);
}

static void expect_deferred(struct mta_player *player, const struct mta_script_line *line,
                            const char *text)
{
    expect_outcome(player, line, MTA_TEMPFAIL, text);
}

static void expect_discarded(struct mta_player *player, const struct mta_script_line *line,
                             const char *text)
{
    expect_outcome(player, line, MTA_DISCARD, text);
}

/* expect answer WORD: the very outcome. */
static void expect_answer(struct mta_player *player, const struct mta_script_line *line,
                          const char *text)
{
    const char *word = mta_outcome_word(player->reply.outcome);
    if (strcmp(text, word) != 0)
        mta_player_fail(player, line, "expected the answer %s, it was %s %s", text, word,
                        player->reply.text);
}

/* expect step answered|not answered|not sent|decided */
static void expect_step(struct mta_player *player, const struct mta_script_line *line,
                        const char *text)
{
    const char *word = mta_path_word(player->reply.path);
    if (strcmp(text, word) != 0)
        mta_player_fail(player, line, "expected a step that is %s, it was %s", text, word);
}

/* expect error [TEXT]: the milter broke the protocol, went silent or is gone. */
static void expect_error(struct mta_player *player, const struct mta_script_line *line,
                         const char *text)
{
    if (player->error == NULL)
        mta_player_fail(player, line, "expected an error of the milter, there was none");
    else if (text[0] != '\0' && !matches(text, player->error_text))
        mta_player_fail(player, line, "expected %s, the error was %s", text, player->error_text);
    player->error = NULL;
    free(player->error_text);
    player->error_text = NULL;
}

static void expect_skipped(struct mta_player *player, const struct mta_script_line *line,
                           const char *text)
{
    (void)text;
    if (!player->skipped)
        mta_player_fail(player, line, "the milter wanted the whole body");
}

/* expect progress [N]: at least so often. */
static void expect_progress(struct mta_player *player, const struct mta_script_line *line,
                            const char *text)
{
    size_t wanted = text[0] == '\0' ? 1 : strtoul(text, NULL, 10);
    size_t found = mta_message(player->session)->progress;
    if (found < wanted)
        mta_player_fail(player, line, "expected %zu signs of progress, there were %zu", wanted,
                        found);
}

static void expect_quarantined(struct mta_player *player, const struct mta_script_line *line,
                               const char *pattern)
{
    const char *reason = mta_message(player->session)->quarantine;
    if (reason == NULL)
        mta_player_fail(player, line, "expected quarantine, the message was not held");
    else if (pattern[0] != '\0' && !matches(pattern, reason))
        mta_player_fail(player, line, "expected %s, the reason was %s", pattern, reason);
}

static void expect_not_quarantined(struct mta_player *player, const struct mta_script_line *line,
                                   const char *text)
{
    (void)text;
    if (mta_message(player->session)->quarantine != NULL)
        mta_player_fail(player, line, "held: %s", mta_message(player->session)->quarantine);
}

/* --- envelope and negotiation --- */

static void expect_sender(struct mta_player *player, const struct mta_script_line *line,
                          const char *pattern)
{
    const char *sender = mta_message(player->session)->sender;
    if (sender == NULL || !matches(pattern, sender))
        mta_player_fail(player, line, "expected the sender %s, it is %s", pattern,
                        sender == NULL ? "not there" : sender);
}

/* expect recipients ADDRESS...: all of them, in their order. */
static void expect_recipients(struct mta_player *player, const struct mta_script_line *line,
                              const char *pattern)
{
    const struct mta_texts *recipients = &mta_message(player->session)->recipients;
    struct am_buf text;
    am_buf_init(&text, 0);
    for (size_t i = 0; i < recipients->count; i++)
        am_buf_printf(&text, "%s%s", i == 0 ? "" : " ", recipients->items[i]);
    if (!matches(pattern, am_buf_str(&text)))
        mta_player_fail(player, line, "expected the recipients %s, they are %s", pattern,
                        am_buf_str(&text));
    am_buf_fini(&text);
}

/* expect actions WORD..., expect steps WORD...: exactly these are agreed on. */
static void expect_terms(struct mta_player *player, const struct mta_script_line *line,
                         const char *wanted, bool actions)
{
    const struct mta_terms *terms = mta_terms(player->session);
    struct am_buf text;
    am_buf_init(&text, 0);
    if (actions)
        mta_actions_print(terms->actions, &text);
    else
        mta_steps_print(terms->steps, &text);
    if (!matches(wanted, am_buf_str(&text)))
        mta_player_fail(player, line, "expected %s, agreed on: %s", wanted, am_buf_str(&text));
    am_buf_fini(&text);
}

static void expect_actions(struct mta_player *player, const struct mta_script_line *line,
                           const char *text)
{
    expect_terms(player, line, text, true);
}

static void expect_steps(struct mta_player *player, const struct mta_script_line *line,
                         const char *text)
{
    expect_terms(player, line, text, false);
}

/* --- the header --- */

/* "Name: pattern" against the fields of the block; counts those that match. */
static size_t count_fields(const struct mta_player *player, const char *wanted, size_t *named)
{
    const struct mta_header_model *headers = &mta_message(player->session)->headers;
    size_t name_len = strcspn(wanted, ":");
    const char *pattern = wanted[name_len] == ':' ? wanted + name_len + 1 : "*";
    size_t found = 0;
    pattern += strspn(pattern, " ");
    *named = 0;
    for (size_t i = 0; i < headers->count; i++) {
        const struct mta_header *header = &headers->items[i];
        if (strlen(header->name) != name_len || strncasecmp(header->name, wanted, name_len) != 0)
            continue;
        struct am_buf value;
        am_buf_init(&value, 0);
        mta_text_unfold(&value, header->value);
        found += matches(pattern, am_buf_str(&value));
        am_buf_fini(&value);
        ++*named;
    }
    return found;
}

/* Fails with the whole block behind the sentence. */
static void fail_with_block(struct mta_player *player, const struct mta_script_line *line,
                            const char *sentence, const char *wanted)
{
    struct am_buf text;
    am_buf_init(&text, 3000);
    mta_headers_print(&mta_message(player->session)->headers, &text);
    mta_player_fail(player, line, "%s %s; the header is\n%s%s", sentence, wanted, am_buf_str(&text),
                    text.failed ? "[...]\n" : "");
    am_buf_fini(&text);
}

static void expect_field(struct mta_player *player, const struct mta_script_line *line,
                         const char *wanted)
{
    size_t named;
    if (count_fields(player, wanted, &named) == 0)
        fail_with_block(player, line, "expected the field", wanted);
}

static void expect_no_field(struct mta_player *player, const struct mta_script_line *line,
                            const char *wanted)
{
    size_t named;
    if (count_fields(player, wanted, &named) > 0)
        fail_with_block(player, line, "expected no field", wanted);
}

/* expect fields N NAME */
static void expect_fields(struct mta_player *player, const struct mta_script_line *line,
                          const char *text)
{
    char *name;
    size_t named, wanted = strtoul(text, &name, 10);
    name += strspn(name, " ");
    count_fields(player, name, &named);
    if (named != wanted)
        fail_with_block(player, line, "expected another number of fields:", text);
}

/* Compares line by line; `*` stands for anything within a line. */
static void expect_lines(struct mta_player *player, const struct mta_script_line *line,
                         const char *got)
{
    const char *want = am_buf_str(&line->block), *all = got;
    unsigned number = line->number;
    while (*want != '\0' || *got != '\0') {
        size_t want_len = strcspn(want, "\n"), got_len = strcspn(got, "\n");
        number++;
        if (!mta_text_matches(am_span_of(want, want_len), am_span_of(got, got_len)) ||
            (*want == '\0') != (*got == '\0')) {
            mta_player_fail(player, line,
                            "line %u: expected \"%.*s\", found \"%.*s\"; all of it is\n%.2500s%s",
                            number, (int)(want_len < 500 ? want_len : 500), want,
                            (int)(got_len < 500 ? got_len : 500), got, all,
                            strlen(all) > 2500 ? "[...]\n" : "");
            return;
        }
        want += want_len + (want[want_len] == '\n');
        got += got_len + (got[got_len] == '\n');
    }
}

/* expect header, and the whole block behind it. */
static void expect_header(struct mta_player *player, const struct mta_script_line *line,
                          const char *unused)
{
    struct am_buf text;
    (void)unused;
    am_buf_init(&text, 0);
    mta_headers_print(&mta_message(player->session)->headers, &text);
    expect_lines(player, line, am_buf_str(&text));
    am_buf_fini(&text);
}

/* expect edits, and what the milter did to header fields, in its order. */
static void expect_edits(struct mta_player *player, const struct mta_script_line *line,
                         const char *unused)
{
    const struct mta_texts *log = &mta_message(player->session)->log;
    struct am_buf text;
    (void)unused;
    am_buf_init(&text, 0);
    for (size_t i = 0; i < log->count; i++) {
        mta_text_unfold(&text, log->items[i]);
        am_buf_add_char(&text, '\n');
    }
    expect_lines(player, line, am_buf_str(&text));
    am_buf_fini(&text);
}

/* --- the body --- */

/* The body with LF line ends, for those who write scripts. */
static void body_text(const struct mta_player *player, struct am_buf *out)
{
    struct am_span body = am_buf_span(&mta_message(player->session)->body);
    for (size_t i = 0; i < body.len; i++) {
        bool end = body.ptr[i] == '\r' && i + 1 < body.len && body.ptr[i + 1] == '\n';
        if (!end)
            am_buf_add_char(out, body.ptr[i]);
    }
}

static void expect_body(struct mta_player *player, const struct mta_script_line *line,
                        const char *text)
{
    struct am_buf body;
    bool replaced = mta_message(player->session)->body_replaced;
    if (strcmp(text, "kept") == 0 || strcmp(text, "replaced") == 0) {
        if (replaced != (strcmp(text, "replaced") == 0))
            mta_player_fail(player, line, "the body was %s", replaced ? "replaced" : "kept");
        return;
    }
    am_buf_init(&body, 0);
    body_text(player, &body);
    expect_lines(player, line, am_buf_str(&body));
    am_buf_fini(&body);
}

static bool body_has(const struct mta_player *player, const char *pattern)
{
    struct am_buf body;
    bool found = false;
    am_buf_init(&body, 0);
    body_text(player, &body);
    for (struct am_span rest = am_buf_span(&body); !found && rest.len > 0;) {
        size_t len = am_span_find(rest, '\n');
        found = mta_text_matches(am_span_str(pattern), am_span_of(rest.ptr, len));
        len += len < rest.len;
        rest = am_span_of(rest.ptr + len, rest.len - len);
    }
    am_buf_fini(&body);
    return found;
}

static void expect_body_line(struct mta_player *player, const struct mta_script_line *line,
                             const char *pattern)
{
    struct am_buf body;
    if (body_has(player, pattern))
        return;
    am_buf_init(&body, 0);
    body_text(player, &body);
    mta_player_fail(player, line, "no line of the body is %s; it is\n%.3000s", pattern,
                    am_buf_str(&body));
    am_buf_fini(&body);
}

static void expect_no_body_line(struct mta_player *player, const struct mta_script_line *line,
                                const char *pattern)
{
    if (body_has(player, pattern))
        mta_player_fail(player, line, "a line of the body is %s", pattern);
}

/* --- the table --- */

enum argument { NONE, OPTIONAL, NEEDED, BLOCK, BLOCK_OR_TEXT };

struct expectation {
    const char *words;
    const char *usage;
    enum argument argument;
    void (*judge)(struct mta_player *player, const struct mta_script_line *line, const char *text);
};

static const struct expectation expectations[] = {
    {"accepted", "", NONE, expect_accepted},
    {"actions", "WORD...", NEEDED, expect_actions},
    {"answer", "OUTCOME", NEEDED, expect_answer},
    {"body", "kept, replaced, or lines", BLOCK_OR_TEXT, expect_body},
    {"body-line", "TEXT", NEEDED, expect_body_line},
    {"deferred", "[TEXT]", OPTIONAL, expect_deferred},
    {"discarded", "", NONE, expect_discarded},
    {"edits", "and lines", BLOCK, expect_edits},
    {"error", "[TEXT]", OPTIONAL, expect_error},
    {"field", "NAME[: TEXT]", NEEDED, expect_field},
    {"fields", "N NAME", NEEDED, expect_fields},
    {"header", "and lines", BLOCK, expect_header},
    {"no body-line", "TEXT", NEEDED, expect_no_body_line},
    {"no field", "NAME[: TEXT]", NEEDED, expect_no_field},
    {"not quarantined", "", NONE, expect_not_quarantined},
    {"progress", "[N]", OPTIONAL, expect_progress},
    {"quarantined", "[TEXT]", OPTIONAL, expect_quarantined},
    {"recipients", "ADDRESS...", OPTIONAL, expect_recipients},
    {"refused", "[TEXT]", OPTIONAL, expect_refused},
    {"sender", "ADDRESS", NEEDED, expect_sender},
    {"skipped", "", NONE, expect_skipped},
    {"step", "answered, not answered, not sent, decided", NEEDED, expect_step},
    {"steps", "WORD...", NEEDED, expect_steps},
};

static const struct expectation *find_expectation(const char **text)
{
    for (size_t i = 0; i < sizeof(expectations) / sizeof(expectations[0]); i++) {
        if (mta_player_takes(text, expectations[i].words))
            return &expectations[i];
    }
    return NULL;
}

bool mta_player_knows_expectation(const struct mta_script_line *line, struct am_problem *problem)
{
    const char *text = line->text;
    const struct expectation *one = find_expectation(&text);
    if (one == NULL)
        return am_problem_set(problem, "there is no expectation '%s'", line->text);
    bool takes_block = one->argument == BLOCK || one->argument == BLOCK_OR_TEXT;
    bool takes_text = one->argument != NONE && one->argument != BLOCK;
    if ((line->block.len > 0 && (!takes_block || text[0] != '\0')) ||
        (text[0] != '\0' && !takes_text) || (text[0] == '\0' && one->argument == NEEDED))
        return am_problem_set(problem, "it is written: expect %s %s", one->words, one->usage);
    return true;
}

void mta_player_expect(struct mta_player *player, const struct mta_script_line *line)
{
    const char *text = line->text;
    const struct expectation *one = find_expectation(&text);
    player->expectations++;
    if (one == NULL)
        mta_player_fail(player, line, "unknown expectation: %s", line->text);
    else if (player->session == NULL && one->judge != expect_error)
        mta_player_fail(player, line, "no client to expect anything for");
    else
        one->judge(player, line, text);
}

/* --- what holds for any message --- */

/* RFC 5322 section 3.6.8: printable ASCII but the colon. */
static bool name_is_sound(const char *name)
{
    if (*name == '\0')
        return false;
    for (; *name != '\0'; name++) {
        if (*name <= ' ' || *name > '~' || *name == ':')
            return false;
    }
    return true;
}

static bool value_is_sound(const char *value)
{
    for (; *value != '\0'; value++) {
        unsigned char byte = (unsigned char)*value;
        if (byte == '\n' && value[1] != ' ' && value[1] != '\t')
            return false;
        if ((byte < ' ' && byte != '\n' && byte != '\t') || byte == 0x7f)
            return false;
    }
    return true;
}

void mta_player_check_edits(struct mta_player *player, const struct mta_script_line *line)
{
    const struct mta_texts *edits = &mta_message(player->session)->log;
    for (size_t i = 0; i < edits->count; i++) {
        /* "insert 0 Name:value" */
        char *copy = strdup(edits->items[i]);
        char *name = copy == NULL ? NULL : strchr(strchr(copy, ' ') + 1, ' ') + 1;
        char *colon = name == NULL ? NULL : strchr(name, ':');
        if (colon != NULL)
            *colon = '\0';
        if (colon == NULL || !name_is_sound(name) || !value_is_sound(colon + 1))
            mta_player_fail(player, line, "an edit would break the header: %.500s",
                            edits->items[i]);
        free(copy);
    }
}
