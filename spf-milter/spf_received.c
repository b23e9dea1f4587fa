#include "spf-milter/spf_received.h"

#include "common/base/buf.h"

/* Longest value of a pair, so that no line comes near the 998 octets of RFC 5322 section 2.1.1. */
#define VALUE_MAX 255

/* atext of RFC 5322 section 3.2.3. */
static bool is_atext(char c)
{
    return am_is_alnum((unsigned char)c) || (c != '\0' && strchr("!#$%&'*+-/=?^_`{|}~", c) != NULL);
}

static bool is_dot_atom(struct am_span text)
{
    if (text.len == 0 || text.ptr[0] == '.' || text.ptr[text.len - 1] == '.')
        return false;
    for (size_t i = 0; i < text.len; i++)
        if (!is_atext(text.ptr[i]) && (text.ptr[i] != '.' || text.ptr[i - 1] == '.'))
            return false;
    return true;
}

/* Returns the length of the UTF-8 sequence of a non-ASCII character at `at`, 0 when it is none. */
static size_t utf8_length(struct am_span text, size_t at)
{
    const unsigned char *p = (const unsigned char *)text.ptr + at;
    size_t len = p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : 2;

    if (p[0] < 0xc2 || p[0] > 0xf4 || text.len - at < len)
        return 0;
    for (size_t i = 1; i < len; i++)
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    /* Overlong forms, surrogates, and what lies beyond U+10FFFF; C1 controls. */
    if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) ||
        (p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f) ||
        (p[0] == 0xc2 && p[1] < 0xa0))
        return 0;
    return len;
}

/* Appends text with the bytes of `special` behind a backslash and forbidden bytes as '?'. */
static void add_escaped(struct am_buf *out, struct am_span text, const char *special, bool utf8)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        size_t len = utf8 && (unsigned char)c >= 0x80 ? utf8_length(text, i) : 0;

        if (len > 0) {
            am_buf_add(out, am_span_of(text.ptr + i, len));
            i += len - 1;
            continue;
        }
        if (c < ' ' || c > '~')
            c = '?';
        if (strchr(special, c) != NULL)
            am_buf_add_char(out, '\\');
        am_buf_add_char(out, c);
    }
}

static void add_pair(struct am_buf *out, const char *key, struct am_span value, bool utf8)
{
    if (value.len > VALUE_MAX)
        return;
    am_buf_printf(out, "\n\t%s=", key);
    if (is_dot_atom(value)) {
        am_buf_add(out, value);
    } else {
        am_buf_add_char(out, '"');
        add_escaped(out, value, "\"\\", utf8);
        am_buf_add_char(out, '"');
    }
    am_buf_add_char(out, ';');
}

/* The comment for people. */
static void add_comment(struct am_buf *out, const struct spf_received_facts *facts,
                        const char *client)
{
    const struct spf_outcome *outcome = facts->finding->outcome;
    struct am_span domain = am_span_str(outcome->domain);
    static const char *const sayings[SPF_RESULT_COUNT] = {
        [SPF_NONE] = "has no SPF record for",
        [SPF_NEUTRAL] = "makes no statement about",
        [SPF_PASS] = "permits",
        [SPF_FAIL] = "does not permit",
        [SPF_SOFTFAIL] = "discourages",
        [SPF_TEMPERROR] = "could not be asked about",
        [SPF_PERMERROR] = "has an unusable SPF record for",
    };

    am_buf_add_str(out, " (");
    add_escaped(out, am_span_str(facts->receiver), "()\\", facts->smtputf8);
    am_buf_add_str(out, ": ");
    if (domain.len == 0 || domain.len > VALUE_MAX)
        am_buf_add_str(out, "the domain");
    else
        add_escaped(out, domain, "()\\", facts->smtputf8);
    am_buf_printf(out, " %s %s)", sayings[outcome->result], client);
}

const char *spf_received_value(struct am_arena *arena, const struct spf_received_facts *facts)
{
    const struct spf_outcome *outcome = facts->finding->outcome;
    bool utf8 = facts->smtputf8;
    char client[AM_IP_TEXT_MAX];
    struct am_buf out;
    const char *value;

    am_ip_format(facts->client, client);
    am_buf_init(&out, 8192);
    am_buf_add_str(&out, spf_result_word(outcome->result));
    add_comment(&out, facts, client);
    add_pair(&out, "receiver", am_span_str(facts->receiver), utf8);
    add_pair(&out, "identity", am_span_str(spf_identity_word(facts->finding->identity)), false);
    add_pair(&out, "client-ip", am_span_str(client), false);
    add_pair(&out, "envelope-from", facts->sender, utf8);
    add_pair(&out, "helo", facts->helo, utf8);
    if (outcome->term != NULL)
        add_pair(&out, "mechanism", am_span_str(outcome->term), false);
    if (outcome->reason != NULL)
        add_pair(&out, "problem", am_span_str(outcome->reason), false);
    /* The list is separated, not ended, by semicolons. */
    value = out.failed ? NULL : am_arena_copy(arena, am_span_of(out.data, out.len - 1));
    am_buf_fini(&out);
    return value;
}
