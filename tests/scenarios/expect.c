#include "tests/scenarios/play.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "tests/scenarios/text.h"

static bool starts(const char **text, const char *word)
{
    size_t len = strlen(word);
    if (strncmp(*text, word, len) != 0 || ((*text)[len] != '\0' && (*text)[len] != ' '))
        return false;
    *text += len + strspn(*text + len, " ");
    return true;
}

static bool matches(const char *pattern, const char *text)
{
    return text_matches(am_span_str(pattern), am_span_str(text));
}

/* "Name: pattern" against the fields of the block; `found` counts those that match. */
static size_t count_fields(const struct play *play, const char *wanted, size_t *named)
{
    const struct mta_header_model *headers = &mta_message(play->session)->headers;
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
        text_unfold(&value, header->value);
        found += matches(pattern, am_buf_str(&value));
        am_buf_fini(&value);
        ++*named;
    }
    return found;
}

static void show_block(const struct play *play)
{
    struct am_buf text;
    am_buf_init(&text, 0);
    mta_headers_print(&mta_message(play->session)->headers, &text);
    printf("  --- the message's header is\n%s  ---\n", am_buf_str(&text));
    am_buf_fini(&text);
}

static void expect_field(struct play *play, const struct scenario_line *line, const char *wanted)
{
    size_t named;
    if (count_fields(play, wanted, &named) > 0)
        return;
    play_fail(play, line, "expected the field %s", wanted);
    show_block(play);
}

static void expect_no_field(struct play *play, const struct scenario_line *line, const char *wanted)
{
    size_t named;
    if (count_fields(play, wanted, &named) == 0)
        return;
    play_fail(play, line, "expected no field %s", wanted);
    show_block(play);
}

/* expect fields N NAME */
static void expect_fields(struct play *play, const struct scenario_line *line, const char *text)
{
    char *name;
    size_t named, wanted = strtoul(text, &name, 10);
    name += strspn(name, " ");
    count_fields(play, name, &named);
    if (named == wanted)
        return;
    play_fail(play, line, "expected %zu fields %s, found %zu", wanted, name, named);
    show_block(play);
}

/* expect header, and the whole block behind it; `*` stands for anything within a line. */
static void expect_block(struct play *play, const struct scenario_line *line)
{
    struct am_buf text;
    am_buf_init(&text, 0);
    mta_headers_print(&mta_message(play->session)->headers, &text);
    const char *want = am_buf_str(&line->block), *got = am_buf_str(&text);
    unsigned number = line->number;
    while (*want != '\0' || *got != '\0') {
        size_t want_len = strcspn(want, "\n"), got_len = strcspn(got, "\n");
        number++;
        if (!text_matches(am_span_of(want, want_len), am_span_of(got, got_len)) ||
            (*want == '\0') != (*got == '\0')) {
            play_fail(play, line, "line %u: expected \"%.*s\", found \"%.*s\"", number,
                      (int)want_len, want, (int)got_len, got);
            show_block(play);
            break;
        }
        want += want_len + (want[want_len] == '\n');
        got += got_len + (got[got_len] == '\n');
    }
    am_buf_fini(&text);
}

static void expect_outcome(struct play *play, const struct scenario_line *line,
                           enum mta_outcome wanted, const char *pattern)
{
    enum mta_outcome outcome = play->reply.outcome;
    if (outcome == MTA_ACCEPT)
        outcome = MTA_CONTINUE;
    if (outcome != wanted)
        play_fail(play, line, "expected %s, the answer was %s %s", line->text,
                  mta_outcome_word(play->reply.outcome), play->reply.text);
    else if (pattern[0] != '\0' && !matches(pattern, play->reply.text))
        play_fail(play, line, "expected %s, the reply was %s", pattern, play->reply.text);
}

static void expect_quarantine(struct play *play, const struct scenario_line *line,
                              const char *pattern)
{
    const char *reason = mta_message(play->session)->quarantine;
    if (reason == NULL)
        play_fail(play, line, "expected quarantine, the message was not held");
    else if (pattern[0] != '\0' && !matches(pattern, reason))
        play_fail(play, line, "expected %s, the reason was %s", pattern, reason);
}

static void expect_sender(struct play *play, const struct scenario_line *line, const char *pattern)
{
    const char *sender = mta_message(play->session)->sender;
    if (!matches(pattern, sender))
        play_fail(play, line, "expected the sender %s, it is %s", pattern, sender);
}

/* expect recipients ADDRESS...: all of them, in their order. */
static void expect_recipients(struct play *play, const struct scenario_line *line,
                              const char *pattern)
{
    const struct mta_texts *recipients = &mta_message(play->session)->recipients;
    struct am_buf text;
    am_buf_init(&text, 0);
    for (size_t i = 0; i < recipients->count; i++)
        am_buf_printf(&text, "%s%s", i == 0 ? "" : " ", recipients->items[i]);
    if (!matches(pattern, am_buf_str(&text)))
        play_fail(play, line, "expected the recipients %s, they are %s", pattern,
                  am_buf_str(&text));
    am_buf_fini(&text);
}

void play_expect(struct play *play, const struct scenario_line *line)
{
    const char *text = line->text;
    if (starts(&text, "log") || starts(&text, "no log"))
        return;
    if (starts(&text, "status"))
        play_expect_status(play, line, text);
    else if (starts(&text, "output"))
        play_expect_output(play, line, text);
    else if (play->session == NULL)
        play_fail(play, line, "no client to expect anything for");
    else if (starts(&text, "accepted"))
        expect_outcome(play, line, MTA_CONTINUE, "");
    else if (starts(&text, "refused"))
        expect_outcome(play, line, MTA_REJECT, text);
    else if (starts(&text, "deferred"))
        expect_outcome(play, line, MTA_TEMPFAIL, text);
    else if (starts(&text, "discarded"))
        expect_outcome(play, line, MTA_DISCARD, text);
    else if (starts(&text, "quarantined"))
        expect_quarantine(play, line, text);
    else if (starts(&text, "not quarantined")) {
        if (mta_message(play->session)->quarantine != NULL)
            play_fail(play, line, "held: %s", mta_message(play->session)->quarantine);
    } else if (starts(&text, "field"))
        expect_field(play, line, text);
    else if (starts(&text, "no field"))
        expect_no_field(play, line, text);
    else if (starts(&text, "fields"))
        expect_fields(play, line, text);
    else if (starts(&text, "sender"))
        expect_sender(play, line, text);
    else if (starts(&text, "recipients"))
        expect_recipients(play, line, text);
    else if (starts(&text, "signed"))
        play_expect_signed(play, line, text);
    else if (starts(&text, "header"))
        expect_block(play, line);
    else
        play_fail(play, line, "unknown expectation: %s", line->text);
}

static bool log_has(const char *log, const char *pattern)
{
    struct am_buf wide;
    bool found = false;
    am_buf_init(&wide, 0);
    am_buf_printf(&wide, "*%s*", pattern);
    for (const char *line = log; !found && *line != '\0';) {
        size_t len = strcspn(line, "\n");
        found = text_matches(am_buf_span(&wide), am_span_of(line, len));
        line += len + (line[len] == '\n');
    }
    am_buf_fini(&wide);
    return found;
}

void play_expect_log(struct play *play, const struct scenario_line *line, const char *log)
{
    const char *text = line->text;
    if (strcmp(line->verb, "expect") != 0)
        return;
    if (starts(&text, "log") && !log_has(log, text))
        play_fail(play, line, "no line of the log has %s", text);
    else if (starts(&text, "no log") && log_has(log, text))
        play_fail(play, line, "a line of the log has %s", text);
}

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

void play_check_block(struct play *play, const struct scenario_line *line)
{
    const struct mta_texts *edits = &mta_message(play->session)->log;
    if (play->reply.outcome == MTA_ERROR)
        play_fail(play, line, "%s", play->reply.text);
    for (size_t i = 0; i < edits->count; i++) {
        /* "insert 0 Name:value" */
        char *copy = strdup(edits->items[i]);
        char *name = copy == NULL ? NULL : strchr(strchr(copy, ' ') + 1, ' ') + 1;
        char *colon = name == NULL ? NULL : strchr(name, ':');
        if (colon != NULL)
            *colon = '\0';
        if (colon == NULL || !name_is_sound(name) || !value_is_sound(colon + 1))
            play_fail(play, line, "an edit would break the header: %s", edits->items[i]);
        free(copy);
    }
}
