#include "srs-milter/srs_module_socketmap.h"

/* Digits of the length of the longest request. */
#define DIGITS_MAX 4

enum srs_netstring srs_netstring_take(struct am_span input, struct am_span *text, size_t *taken)
{
    size_t len = 0, at = 0;

    while (at < input.len && at <= DIGITS_MAX && am_is_digit((unsigned char)input.ptr[at]))
        len = 10 * len + (size_t)(input.ptr[at++] - '0');
    if (at > DIGITS_MAX || len > SRS_SOCKETMAP_REQUEST_MAX)
        return SRS_NETSTRING_BAD;
    if (at == input.len)
        return SRS_NETSTRING_PART;
    /* One way to write each length: no leading zeros. */
    if (at == 0 || input.ptr[at] != ':' || (at > 1 && input.ptr[0] == '0'))
        return SRS_NETSTRING_BAD;
    at++;
    if (input.len - at <= len)
        return SRS_NETSTRING_PART;
    if (input.ptr[at + len] != ',')
        return SRS_NETSTRING_BAD;
    *text = am_span_of(input.ptr + at, len);
    *taken = at + len + 1;
    return SRS_NETSTRING_WHOLE;
}

void srs_netstring_add(struct am_buf *out, struct am_span text)
{
    am_buf_printf(out, "%zu:", text.len);
    am_buf_add(out, text);
    am_buf_add_char(out, ',');
}

static void answer(struct am_buf *out, struct am_arena *arena, const char *word, const char *text)
{
    const char *reply = am_arena_printf(arena, "%s %s", word, text);

    srs_netstring_add(out, am_span_str(reply == NULL ? "TEMP memory is short" : reply));
}

static struct srs_outcome forward(const struct srs_derived *derived, struct am_arena *arena,
                                  const struct am_address *address, int64_t now_s)
{
    if (am_span_equal_nocase(address->domain, am_span_str(derived->scheme.domain)) ||
        am_patterns_find(derived->own_senders, arena, address) != AM_TABLE_NONE ||
        am_patterns_find(derived->sign_senders, arena, address) != AM_TABLE_NONE)
        return (struct srs_outcome){.status = SRS_NO_SRS};
    return srs_forward(&derived->scheme, arena, address, now_s);
}

static struct srs_outcome reverse(const struct srs_derived *derived, struct am_arena *arena,
                                  const struct am_address *address, int64_t now_s)
{
    if (!srs_conf_domain_is_ours(derived, arena, address))
        return (struct srs_outcome){.status = SRS_NO_SRS};
    return srs_reverse(&derived->scheme, arena, address, now_s);
}

void srs_socketmap_answer(const struct srs_derived *derived, struct am_arena *arena,
                          struct am_span request, int64_t now_s, struct am_buf *out,
                          struct srs_socketmap_counts *counts)
{
    size_t end = am_span_find(request, ' ');
    const struct am_span map = am_span_of(request.ptr, end);
    bool is_forward = am_span_equal(map, am_span_str("forward"));
    struct am_address address;
    struct srs_outcome outcome;

    if (end == request.len || (!is_forward && !am_span_equal(map, am_span_str("reverse")))) {
        counts->failed++;
        answer(out, arena, "PERM", "there are the maps forward and reverse");
        return;
    }
    if (derived->scheme.domain == NULL ||
        !am_address_parse(&address, am_span_of(request.ptr + end + 1, request.len - end - 1)) ||
        address.local.len == 0 || address.domain.len == 0)
        outcome = (struct srs_outcome){.status = SRS_NO_SRS};
    else if (is_forward)
        outcome = forward(derived, arena, &address, now_s);
    else
        outcome = reverse(derived, arena, &address, now_s);
    switch (outcome.status) {
    case SRS_OK:
        counts->found++;
        answer(out, arena, "OK", outcome.address);
        break;
    case SRS_FAILED:
        counts->failed++;
        answer(out, arena, "TEMP", srs_status_text(outcome.status));
        break;
    case SRS_NO_SRS:
        counts->not_found++;
        answer(out, arena, "NOTFOUND", "");
        break;
    default:
        counts->refused++;
        answer(out, arena, "NOTFOUND", "");
        break;
    }
}
