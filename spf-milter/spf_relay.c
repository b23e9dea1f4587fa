#include "spf-milter/spf_relay.h"

/* Longest HELO name that is taken over (RFC 5321 section 4.5.3.1.2: 255 octets). */
#define HELO_MAX 255

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/*
 * Takes the next token: a comment with everything nested in it (without its
 * outer parentheses), or a run of other bytes. Returns false at the end.
 */
static bool next_token(struct am_span *rest, struct am_span *token, bool *is_comment)
{
    struct am_span text = am_span_trim(*rest);
    size_t end = 0;

    if (text.len == 0)
        return false;
    *is_comment = text.ptr[0] == '(';
    if (*is_comment) {
        size_t depth = 1;

        for (end = 1; end < text.len && depth > 0; end++) {
            if (text.ptr[end] == '\\')
                end++;
            else if (text.ptr[end] == '(')
                depth++;
            else if (text.ptr[end] == ')')
                depth--;
        }
        if (end > text.len)
            end = text.len;
        *token = am_span_of(text.ptr + 1, end - 1 - (depth == 0));
    } else {
        while (end < text.len && !is_blank(text.ptr[end]) && text.ptr[end] != '(')
            end++;
        *token = am_span_of(text.ptr, end);
    }
    *rest = am_span_of(text.ptr + end, text.len - end);
    return true;
}

static bool word_is(struct am_span word, const char *text)
{
    return am_span_equal_nocase(word, am_span_str(text));
}

/* Notes an address; a second, different one makes the field ambiguous. */
static void note_ip(struct spf_hop *hop, const struct am_ip *ip)
{
    if (hop->ip.family == 0)
        hop->ip = *ip;
    else if (!am_ip_equal(&hop->ip, ip))
        hop->ambiguous = true;
}

/* Reads "192.0.2.1", "IPv6:2001:db8::1", "2001:db8::1%eth0". */
static bool read_ip(struct am_ip *ip, struct am_span text)
{
    struct am_span tag = am_span_str("IPv6:");

    if (am_span_starts_nocase(text, tag))
        text = am_span_of(text.ptr + tag.len, text.len - tag.len);
    text.len = am_span_find(text, '%');
    return am_ip_parse(ip, text);
}

/* Reads "[address]" at the start of a word, whatever follows ("[192.0.2.1]:4711"). */
static bool read_literal(struct am_ip *ip, struct am_span word)
{
    size_t close = am_span_find(word, ']');

    if (word.len == 0 || word.ptr[0] != '[' || close == word.len)
        return false;
    return read_ip(ip, am_span_of(word.ptr + 1, close - 1));
}

/*
 * Looks at a word of a comment: an address in brackets, or a bare one when it is
 * the comment's only word (Exchange, qmail: "ip" or "user@ip"). Brackets inside a
 * word are not the relay's: "ident=[192.0.2.1]" (Exim) is what the client says.
 */
static void read_comment_word(struct spf_hop *hop, struct am_span word, bool only_word)
{
    struct am_ip ip;

    if (word.len > 0 && word.ptr[0] == '[') {
        if (read_literal(&ip, word))
            note_ip(hop, &ip);
        return;
    }
    if (!only_word)
        return;
    size_t at = am_span_find_last(word, '@');
    if (at < word.len)
        word = am_span_of(word.ptr + at + 1, word.len - at - 1);
    if (read_ip(&ip, word))
        note_ip(hop, &ip);
}

/* Reads one comment of the from-clause. */
static void read_comment(struct spf_hop *hop, struct am_span comment)
{
    struct am_span rest = comment, word, exim = am_span_str("helo=");
    bool nested, helo_follows = false;
    size_t index = 0;

    /* Postfix with smtpd_tls_received_header: names in it are the client's own choice. */
    if (am_span_starts_nocase(comment, am_span_str("Client CN ")))
        return;
    while (next_token(&rest, &word, &nested)) {
        bool only = index == 0 && am_span_trim(rest).len == 0;

        index++;
        if (nested)
            continue; /* "(may be forged)" */
        if (helo_follows) {
            hop->helo = word;
            helo_follows = false;
        } else if (index == 1 && (word_is(word, "HELO") || word_is(word, "EHLO"))) {
            helo_follows = true; /* qmail: (HELO name) */
        } else if (am_span_starts_nocase(word, exim)) {
            hop->helo = am_span_of(word.ptr + exim.len, word.len - exim.len);
        } else {
            read_comment_word(hop, word, only);
        }
    }
}

/* "with ESMTPA", "ESMTPSA", "UTF8SMTPA", "LMTPSA", ... (RFC 3848, RFC 6531 section 4.3). */
static bool is_authenticated(struct am_span protocol)
{
    static const char *const words[] = {"ESMTPA",    "ESMTPSA",    "LMTPA",     "LMTPSA",
                                        "UTF8SMTPA", "UTF8SMTPSA", "UTF8LMTPA", "UTF8LMTPSA"};

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (word_is(protocol, words[i]))
            return true;
    return false;
}

/* Looks for "with PROTOCOL" after the from-clause; comments do not count. */
static void read_protocol(struct spf_hop *hop, struct am_span rest)
{
    struct am_span word;
    bool is_comment, protocol_follows = false;

    while (next_token(&rest, &word, &is_comment)) {
        if (is_comment)
            continue;
        if (protocol_follows) {
            word.len = am_span_find(word, ';');
            hop->authenticated = is_authenticated(word);
            return;
        }
        if (word.len > 0 && word.ptr[word.len - 1] == ';')
            return;
        protocol_follows = word_is(word, "with");
    }
}

/* Returns how often the word "by" stands outside comments; `*clause` ends before the last one. */
static size_t end_from_clause(struct am_span *clause, struct am_span *after)
{
    struct am_span value = *clause, rest = value, token;
    bool is_comment;
    size_t count = 0;

    *after = value;
    while (next_token(&rest, &token, &is_comment)) {
        if (is_comment || !word_is(token, "by"))
            continue;
        *clause = am_span_of(value.ptr, (size_t)(token.ptr - value.ptr));
        *after = rest;
        count++;
    }
    return count;
}

/*
 * A relay may repeat a HELO with all its blanks (Postfix does not: it writes "?"), so that "EHLO
 * [192.0.2.1] by x with ESMTPA" brings words into the field that look like the relay's own. The
 * relay's own "by" comes after them, and with it the comment that tells the address; a recipient
 * can bring in a further "by", behind it. So of several the last one ends the clause, and then
 * neither the HELO nor the protocol is believed.
 */
void spf_relay_parse(struct spf_hop *hop, struct am_span value)
{
    struct am_span rest = value, token, after;
    bool is_comment;
    struct am_ip ip;

    *hop = (struct spf_hop){.authenticated = false};
    if (!next_token(&rest, &token, &is_comment) || is_comment || !word_is(token, "from"))
        return;
    size_t bys = end_from_clause(&rest, &after);
    struct am_span name = am_span_of(NULL, 0);
    size_t words = 0;
    bool commented = false;
    while (next_token(&rest, &token, &is_comment)) {
        if (is_comment) {
            if (words == 0)
                return;
            commented = true;
            read_comment(hop, token);
        } else if (!commented) {
            name = words == 0 ? token
                              : am_span_of(name.ptr, (size_t)(token.ptr + token.len - name.ptr));
            words++;
        }
    }
    /* "from [192.0.2.1] (helo=x)" of Exim; behind a comment's address it is only a HELO. */
    if (hop->ip.family == 0 && !hop->ambiguous && words == 1 && bys < 2 && read_literal(&ip, name))
        hop->ip = ip;
    if (hop->helo.len == 0)
        hop->helo = name;
    if (bys < 2)
        read_protocol(hop, after);
}

static bool lost(struct spf_relay_walk *walk, const char *why)
{
    walk->state = SPF_RELAY_LOST;
    walk->why = why;
    return true;
}

bool spf_relay_feed(struct spf_relay_walk *walk, const struct spf_exempt *exempt,
                    struct am_arena *arena, unsigned max_hops, struct am_span value)
{
    struct spf_hop hop;

    if (walk->state != SPF_RELAY_WALKING)
        return true;
    if (walk->hops == max_hops)
        return lost(walk, "too many Received fields of trusted relays");
    walk->hops++;
    spf_relay_parse(&hop, value);
    if (hop.authenticated) {
        walk->state = SPF_RELAY_SUBMITTED;
        return true;
    }
    if (hop.ambiguous)
        return lost(walk, "a relay's Received field names several addresses");
    if (hop.ip.family == 0)
        return lost(walk, "a relay's Received field names no client address");
    if (spf_exempt_is_relay(exempt, &hop.ip) || am_ip_is_loopback(&hop.ip))
        return true;

    walk->ip = hop.ip;
    walk->helo = hop.helo.len > HELO_MAX ? "" : am_arena_copy(arena, hop.helo);
    walk->state = SPF_RELAY_FOUND;
    return walk->helo != NULL;
}

void spf_relay_end(struct spf_relay_walk *walk)
{
    if (walk->state == SPF_RELAY_WALKING)
        lost(walk, walk->hops == 0 ? "the relay added no Received field"
                                   : "only trusted relays in the Received fields");
}
