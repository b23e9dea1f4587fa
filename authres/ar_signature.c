#include "authres/ar_signature.h"

#include <string.h>

#include "authres/ar_chars.h"

/* Returns the octet at or after `*pos` that is no blank and steps behind it; -1 at the end. */
static int next_octet(struct ar_text text, size_t *pos)
{
    while (*pos < text.len) {
        unsigned char c = (unsigned char)text.ptr[(*pos)++];
        if (!ar_is(c, AR_C_BLANK) && c != '\r' && c != '\n')
            return c;
    }
    return -1;
}

size_t ar_signature_copy(struct ar_text signature, char *out, size_t room)
{
    size_t len = 0;

    for (size_t pos = 0; len < room;) {
        int c = next_octet(signature, &pos);
        if (c == -1)
            break;
        out[len++] = (char)c;
    }
    return len;
}

size_t ar_signature_len(struct ar_text signature)
{
    size_t len = 0;

    for (size_t pos = 0; next_octet(signature, &pos) != -1;)
        len++;
    return len;
}

int ar_signature_compare(struct ar_text a, struct ar_text b, size_t *common)
{
    for (size_t i = 0, j = 0, len = 0;; len++) {
        int c = next_octet(a, &i), d = next_octet(b, &j);
        *common = len;
        if (c != d || c == -1)
            return c - d;
    }
}

void ar_signature_init(struct ar_signature_set *set)
{
    set->count = set->longest = 0;
    set->need = AR_SIGNATURE_MIN;
    set->overflow = false;
}

/* Notes that two signatures of the set begin with the same octets. */
static void tell_apart(struct ar_signature_set *set, size_t common)
{
    if (common + 1 > set->need)
        set->need = common + 1;
}

/*
 * The set stays sorted: what a new one has in common with any other it has with one of the two
 * it comes to stand between.
 */
void ar_signature_add(struct ar_signature_set *set, struct ar_text signature)
{
    size_t low = 0, high = set->count, len = ar_signature_len(signature);
    size_t common, with_low = 0, with_high = 0;

    if (len > set->longest)
        set->longest = len;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = ar_signature_compare(signature, set->sorted[middle], &common);
        if (order == 0)
            return;
        if (order < 0) {
            high = middle;
            with_high = common;
        } else {
            low = middle + 1;
            with_low = common;
        }
    }
    if (set->count == AR_SIGNATURES_MAX) {
        set->overflow = true;
        return;
    }
    if (set->count > 0)
        tell_apart(set, with_low > with_high ? with_low : with_high);
    memmove(set->sorted + low + 1, set->sorted + low, (set->count - low) * sizeof(*set->sorted));
    set->sorted[low] = signature;
    set->count++;
}

size_t ar_signature_need(const struct ar_signature_set *set)
{
    if (set->overflow && set->longest > set->need)
        return set->longest;
    return set->need;
}

size_t ar_signature_prefix(const struct ar_text *signatures, size_t count)
{
    struct ar_signature_set set;

    ar_signature_init(&set);
    for (size_t i = 0; i < count; i++)
        ar_signature_add(&set, signatures[i]);
    return ar_signature_need(&set);
}
