#include <inttypes.h>
#include <string.h>

#include "dkim-milter/dkim_rotation.h"

/* The states of a domain's keys as text: a line for each, and a last one that tells a whole text
 * from one that was cut off. */

#define HEAD "authmilter-keys 1"

/* key SELECTOR TYPE STATE CREATED SINCE KEEP-UNTIL TTL TROUBLE TROUBLE-SINCE TROUBLE-BY, and where
 * something has been seen already RIGHT-SECONDS RIGHT-BY */
enum { WORDS = 13, WORDS_LEAST = 11 };

void dkim_rotation_write(const struct dkim_rotation_domain *domain, struct am_buf *out)
{
    am_buf_add_str(out, HEAD "\n");
    for (size_t i = 0; i < domain->count; i++) {
        const struct dkim_rotation_key *key = &domain->keys[i];

        am_buf_printf(
            out, "key %s %s %s %" PRId64 " %" PRId64 " %" PRId64 " %" PRIu32 " %s %" PRId64 " %s",
            key->selector, dkim_key_type_word(key->type), dkim_rotation_state_word(key->state),
            key->created_s, key->since_s, key->keep_until_s, key->ttl_s,
            dkim_sight_word(key->trouble), key->trouble_since_s,
            key->trouble_by[0] == '\0' ? "-" : key->trouble_by);
        if (key->right_by[0] != '\0')
            am_buf_printf(out, " %" PRId64 " %s", key->right_s, key->right_by);
        am_buf_add_char(out, '\n');
    }
    am_buf_printf(out, "end %zu\n", domain->count);
}

/* Takes the next line without its end. Returns false when there is no whole one. */
static bool next_line(struct am_span *text, struct am_span *line)
{
    size_t len = am_span_find(*text, '\n');

    if (len == text->len)
        return false;
    *line = am_span_of(text->ptr, len);
    *text = am_span_of(text->ptr + len + 1, text->len - len - 1);
    return true;
}

/* Splits a line at its blanks. Returns how many words there are; one more than there is room for
 * when there are too many. */
static size_t split(struct am_span line, struct am_span words[WORDS])
{
    size_t count = 0;

    for (;;) {
        size_t len = am_span_find(line, ' ');

        if (count == WORDS)
            return WORDS + 1;
        words[count++] = am_span_of(line.ptr, len);
        if (len == line.len)
            return count;
        line = am_span_of(line.ptr + len + 1, line.len - len - 1);
    }
}

static bool read_number(struct am_span word, int64_t most, int64_t *out)
{
    int64_t value = 0;

    if (word.len == 0 || word.len > 15)
        return false;
    for (size_t i = 0; i < word.len; i++) {
        if (!am_is_digit((unsigned char)word.ptr[i]))
            return false;
        value = value * 10 + (word.ptr[i] - '0');
    }
    *out = value;
    return value <= most;
}

/* A name that can be part of a path and of a line of the log. */
static bool read_name(struct am_span word, char out[DKIM_ROTATION_NAME_MAX + 1])
{
    if (word.len == 0 || word.len > DKIM_ROTATION_NAME_MAX || word.ptr[0] == '.')
        return false;
    for (size_t i = 0; i < word.len; i++) {
        unsigned char c = (unsigned char)word.ptr[i];
        if (!am_is_alnum(c) && c != '-' && c != '.' && c != '_')
            return false;
    }
    memcpy(out, word.ptr, word.len);
    out[word.len] = '\0';
    return true;
}

static const char *type_word(int type)
{
    return dkim_key_type_word((enum dkim_key_type)type);
}

static const char *state_word(int state)
{
    return dkim_rotation_state_word((enum dkim_rotation_state)state);
}

static const char *sight_word(int sight)
{
    return dkim_sight_word((enum dkim_sight)sight);
}

/* Returns the number of a word, or -1. */
static int number_of(struct am_span word, const char *(*word_of)(int number), int count)
{
    for (int i = 0; i < count; i++)
        if (am_span_equal(word, am_span_str(word_of(i))))
            return i;
    return -1;
}

static bool read_key(struct am_span line, struct dkim_rotation_key *key)
{
    struct am_span words[WORDS];
    int64_t ttl_s;

    size_t count = split(line, words);
    if ((count != WORDS && count != WORDS_LEAST) || !am_span_equal(words[0], am_span_str("key")))
        return false;
    int type = number_of(words[2], type_word, DKIM_KEY_TYPE_COUNT);
    int state = number_of(words[3], state_word, DKIM_ROTATION_STATE_COUNT);
    int trouble = number_of(words[8], sight_word, DKIM_SIGHT_COUNT);
    if (type < 0 || state < 0 || trouble < 0)
        return false;
    key->type = (enum dkim_key_type)type;
    key->state = (enum dkim_rotation_state)state;
    key->trouble = (enum dkim_sight)trouble;
    bool has_by = !am_span_equal(words[10], am_span_str("-"));
    bool good =
        read_name(words[1], key->selector) && read_number(words[4], INT64_MAX, &key->created_s) &&
        read_number(words[5], INT64_MAX, &key->since_s) &&
        read_number(words[6], INT64_MAX, &key->keep_until_s) &&
        read_number(words[7], INT32_MAX, &ttl_s) &&
        read_number(words[9], INT64_MAX, &key->trouble_since_s) &&
        (!has_by || read_name(words[10], key->trouble_by)) &&
        (count == WORDS_LEAST ||
         (read_number(words[11], INT32_MAX, &key->right_s) && read_name(words[12], key->right_by)));
    if (good)
        key->ttl_s = (uint32_t)ttl_s;
    return good;
}

/* Reads the last line. */
static bool is_end(struct am_span line, size_t count)
{
    struct am_span words[WORDS];
    int64_t told;

    return split(line, words) == 2 && am_span_equal(words[0], am_span_str("end")) &&
           read_number(words[1], DKIM_ROTATION_KEYS_MAX, &told) && (size_t)told == count;
}

bool dkim_rotation_read(struct dkim_rotation_domain *domain, struct am_span text,
                        struct am_problem *problem)
{
    struct am_span line;

    *domain = (struct dkim_rotation_domain){.generation = domain->generation};
    if (!next_line(&text, &line) || !am_span_equal(line, am_span_str(HEAD)))
        return am_problem_set(problem, "does not begin with \"" HEAD "\"");
    for (unsigned number = 2; next_line(&text, &line); number++) {
        struct dkim_rotation_key key = {.usable = false};

        if (am_span_starts_nocase(line, am_span_str("end ")) && text.len == 0)
            return is_end(line, domain->count) ||
                   am_problem_set(problem, "line %u: the last line does not fit", number);
        if (domain->count == DKIM_ROTATION_KEYS_MAX || !read_key(line, &key) ||
            dkim_rotation_find(domain, key.selector) != NULL)
            return am_problem_set(problem, "line %u cannot be understood", number);
        domain->keys[domain->count++] = key;
    }
    return am_problem_set(problem, "is cut off");
}

void dkim_rotation_inherit(struct dkim_rotation_domain *domain,
                           const struct dkim_rotation_domain *former, const char *witness)
{
    for (size_t i = 0; i < domain->count; i++)
        if (strcmp(domain->keys[i].right_by, witness) == 0)
            domain->keys[i].right_us = domain->keys[i].right_s * 1000000;
    for (size_t i = 0; i < former->count; i++) {
        const struct dkim_rotation_key *from = &former->keys[i];
        struct dkim_rotation_key *to = dkim_rotation_find(domain, from->selector);

        if (to == NULL || to->type != from->type)
            continue;
        to->usable = from->usable;
        memcpy(to->sights, from->sights, sizeof(to->sights));
        to->right_us = from->right_us;
        to->last_right_us = from->last_right_us;
        to->wrong_since_us = from->wrong_since_us;
        to->told = to->state == DKIM_ROTATION_ACTIVE ? from->told : DKIM_SIGHT_NONE;
        if (from->ttl_s > to->ttl_s)
            to->ttl_s = from->ttl_s;
    }
}
