#include <string.h>

#include "authres/ar_internal.h"
#include "authres/ar_signature.h"

/* One line for each result of a common method. */

/* A property to be written unless its value is NULL. */
struct part {
    const char *ptype, *name, *value;
};

static enum ar_status add_parts(struct ar_header *header, const char *comment, const char *reason,
                                const struct part *parts, size_t count)
{
    enum ar_status status = AR_OK;

    if (comment != NULL)
        status = ar_header_add_comment(header, comment, strlen(comment));
    if (status == AR_OK && reason != NULL)
        status = ar_header_set_reason(header, reason, strlen(reason));
    for (size_t i = 0; status == AR_OK && i < count; i++)
        if (parts[i].value != NULL)
            status = ar_header_add_property(header, parts[i].ptype, parts[i].name, parts[i].value,
                                            strlen(parts[i].value));
    return status;
}

/* Appends a result with all its parts, or nothing. */
static enum ar_status add(struct ar_header *header, const char *method, const char *result,
                          const char *comment, const char *reason, const struct part *parts,
                          size_t count)
{
    size_t before = header->results.count;
    enum ar_registration state =
        result == NULL ? AR_UNREGISTERED : ar_registry_result(method, result);

    if (state == AR_UNREGISTERED || state == AR_DEPRECATED)
        return AR_BAD_TOKEN;
    enum ar_status status = ar_header_add_result(header, method, result);
    if (status == AR_OK)
        status = add_parts(header, comment, reason, parts, count);
    if (status != AR_OK)
        header->results.count = before;
    return status;
}

#define ADD(header, method, from, parts)                                                           \
    add(header, method, (from)->result, (from)->comment, (from)->reason, parts,                    \
        sizeof(parts) / sizeof((parts)[0]))

enum ar_status ar_add_spf(struct ar_header *header, const struct ar_spf *spf)
{
    const struct part parts[] = {{"smtp", "mailfrom", spf->mailfrom}, {"smtp", "helo", spf->helo}};

    return ADD(header, "spf", spf, parts);
}

/* Appends a dkim result with header.b of at most `need` octets. */
static enum ar_status add_dkim(struct ar_header *header, const struct ar_dkim *dkim, size_t need)
{
    char *cut = NULL;

    if (dkim->signature != NULL) {
        struct ar_text signature = {dkim->signature, strlen(dkim->signature)};
        size_t room = signature.len < need ? signature.len : need;
        cut = ar_take_text(header, room + 1);
        if (cut == NULL)
            return AR_NO_MEMORY;
        cut[ar_signature_copy(signature, cut, room)] = '\0';
    }
    const struct part parts[] = {{"header", "d", dkim->domain},
                                 {"header", "s", dkim->selector},
                                 {"header", "i", dkim->identity},
                                 {"header", "a", dkim->algorithm},
                                 {"header", "b", cut}};
    return ADD(header, "dkim", dkim, parts);
}

enum ar_status ar_add_dkim(struct ar_header *header, const struct ar_dkim *dkim)
{
    return add_dkim(header, dkim, AR_SIGNATURE_MIN);
}

enum ar_status ar_add_dkim_each(struct ar_header *header, const struct ar_dkim *dkim, size_t count)
{
    size_t before = header->results.count;
    struct ar_signature_set set;

    ar_signature_init(&set);
    for (size_t i = 0; i < count; i++)
        if (dkim[i].signature != NULL)
            ar_signature_add(&set, (struct ar_text){dkim[i].signature, strlen(dkim[i].signature)});
    for (size_t i = 0; i < count; i++) {
        enum ar_status status = add_dkim(header, &dkim[i], ar_signature_need(&set));
        if (status != AR_OK) {
            header->results.count = before;
            return status;
        }
    }
    return AR_OK;
}

enum ar_status ar_add_dmarc(struct ar_header *header, const struct ar_dmarc *dmarc)
{
    const struct part parts[] = {{"header", "from", dmarc->from},
                                 {"policy", "dmarc", dmarc->policy}};

    return ADD(header, "dmarc", dmarc, parts);
}

enum ar_status ar_add_arc(struct ar_header *header, const struct ar_arc *arc)
{
    const struct part parts[] = {{"smtp", "remote-ip", arc->remote_ip},
                                 {"header", "oldest-pass", arc->oldest_pass}};

    return ADD(header, "arc", arc, parts);
}

enum ar_status ar_add_iprev(struct ar_header *header, const struct ar_iprev *iprev)
{
    const struct part parts[] = {{"policy", "iprev", iprev->address}};

    return ADD(header, "iprev", iprev, parts);
}

enum ar_status ar_add_auth(struct ar_header *header, const struct ar_auth *auth)
{
    const struct part parts[] = {{"smtp", "auth", auth->login},
                                 {"smtp", "mailfrom", auth->mailfrom}};

    return ADD(header, "auth", auth, parts);
}
