/*
 * The process that holds libopendkim: verifies one message after the other for
 * dkim_engine_libopendkim.c, which starts it with a socket as its input. It ends with the socket.
 *
 * How the library is used, as a careful milter would:
 *   DKIM_LIBFLAGS_BADSIGHANDLES: a signature that it cannot read is reported, not left out.
 *   DKIM_LIBFLAGS_DELAYSIGPROC: keys are asked for at the end of the message.
 *   DKIM_OPTS_MINKEYBITS, DKIM_OPTS_CLOCKDRIFT: our limits.
 *   A signature that dkim_header() calls malformed, or beyond the limit, is ignored in the
 *   prescreen call-back; otherwise the library goes on with what it could read of it.
 *   A last line without its CRLF gets one; the library refuses the body otherwise.
 * Not set: DKIM_LIBFLAGS_STRICTHDRS, which refuses unsigned faults such as a second Subject
 * (several From are the engine's matter); DKIM_LIBFLAGS_FIXCRLF, which changes what was signed;
 * DKIM_OPTS_REQUIREDHDRS, which has From in it already.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <opendkim/dkim.h>

#include "dkim-milter/dkim_peer_wire.h"
#include "dkim-milter/dkim_reason.h"

/* More signatures than any message has that is worth a comparison. */
#define SIGNATURES_MAX 4096

/* A DKIM-Signature field. */
struct signature {
    DKIM_SIGINFO *handle;    /* NULL: the library never saw it */
    bool has_handle;         /* it will */
    enum dkim_reason reason; /* known before the library says anything */
};

struct message {
    int fd;
    DKIM_LIB *lib;
    DKIM *dkim;
    struct am_buf frame;
    struct dkim_peer_begin limits;
    struct signature signatures[SIGNATURES_MAX];
    size_t count;
    bool header_done, has_body, failed;
    char last[2]; /* octets of the body */
};

static bool is_signature(struct am_span field)
{
    struct am_span name = am_span_of(field.ptr, am_span_find(field, ':'));

    return am_span_equal_nocase(am_span_trim(name), am_span_str(DKIM_SIGNHEADER));
}

/* The library takes no field whose name holds a control character, a TAB before the colon too. */
static bool is_taken(struct am_span field)
{
    for (size_t i = 0; i < field.len && field.ptr[i] != ':'; i++)
        if (field.ptr[i] < ' ' || field.ptr[i] > '~')
            return false;
    return true;
}

static void take_field(struct message *message)
{
    struct am_span field = am_buf_span(&message->frame);
    DKIM_STAT status = dkim_header(message->dkim, (u_char *)message->frame.data, field.len);

    if (!is_signature(field) || message->count == SIGNATURES_MAX)
        return;
    message->signatures[message->count++] = (struct signature){
        .has_handle = is_taken(field),
        .reason = status == DKIM_STAT_OK           ? DKIM_REASON_NONE
                  : status == DKIM_STAT_NORESOURCE ? DKIM_REASON_MEMORY
                                                   : DKIM_REASON_SIGNATURE_SYNTAX,
    };
}

/* Finds out which handle is whose, and has those ignored that we have judged already. */
static DKIM_CBSTAT prescreen(DKIM *dkim, DKIM_SIGINFO **handles, int count)
{
    struct message *message = dkim_get_user_context(dkim);
    size_t evaluated = 0;
    int next = 0;

    for (size_t i = 0; i < message->count && next < count; i++) {
        struct signature *signature = &message->signatures[i];

        if (!signature->has_handle)
            continue;
        signature->handle = handles[next++];
        if (signature->reason == DKIM_REASON_NONE &&
            dkim_sig_geterror(signature->handle) == DKIM_SIGERROR_UNKNOWN &&
            evaluated++ >= message->limits.max_signatures)
            signature->reason = DKIM_REASON_TOO_MANY_SIGNATURES;
        if (signature->reason != DKIM_REASON_NONE)
            dkim_sig_ignore(signature->handle);
    }
    return DKIM_CBSTAT_CONTINUE;
}

static bool ask(struct message *message, size_t number, DKIM_SIGINFO *handle)
{
    uint32_t index = (uint32_t)number;
    enum dkim_peer_type type;

    am_buf_clear(&message->frame);
    am_buf_add(&message->frame, am_span_of((const char *)&index, sizeof(index)));
    am_buf_printf(&message->frame, "%s.%s.%s", dkim_sig_getselector(handle), DKIM_DNSKEYNAME,
                  dkim_sig_getdomain(handle));
    return !message->frame.failed &&
           dkim_peer_send(message->fd, DKIM_PEER_QUESTION, am_buf_span(&message->frame)) &&
           dkim_peer_receive(message->fd, &type, &message->frame) && type == DKIM_PEER_ANSWER &&
           message->frame.len >= sizeof(index);
}

/* The library's room for a key record is what it is: 1,024 octets. */
static DKIM_CBSTAT key_lookup(DKIM *dkim, DKIM_SIGINFO *handle, u_char *out, size_t out_len)
{
    struct message *message = dkim_get_user_context(dkim);
    size_t number = 0;
    uint32_t reason;

    while (number < message->count && message->signatures[number].handle != handle)
        number++;
    if (number == message->count || !ask(message, number, handle)) {
        message->failed = true;
        return DKIM_CBSTAT_ERROR;
    }
    memcpy(&reason, message->frame.data, sizeof(reason));
    message->signatures[number].reason = (enum dkim_reason)reason;
    if (reason == DKIM_REASON_KEY_NONE)
        return DKIM_CBSTAT_NOTFOUND;
    if (reason != DKIM_REASON_NONE)
        return dkim_reason_result((enum dkim_reason)reason) == DKIM_TEMPERROR ? DKIM_CBSTAT_TRYAGAIN
                                                                              : DKIM_CBSTAT_ERROR;
    snprintf((char *)out, out_len, "%s", message->frame.data + sizeof(reason));
    return DKIM_CBSTAT_CONTINUE;
}

/* Indexed by DKIM_SIGERROR; what is not there is DKIM_REASON_NONE, and no pass. */
static const enum dkim_reason reasons[] = {
    [DKIM_SIGERROR_VERSION] = DKIM_REASON_VERSION_UNKNOWN,
    [DKIM_SIGERROR_DOMAIN] = DKIM_REASON_IDENTITY_OUTSIDE,
    [DKIM_SIGERROR_EXPIRED] = DKIM_REASON_EXPIRED,
    [DKIM_SIGERROR_FUTURE] = DKIM_REASON_FUTURE,
    [DKIM_SIGERROR_TIMESTAMPS] = DKIM_REASON_EXPIRY_ORDER,
    [DKIM_SIGERROR_INVALID_HC] = DKIM_REASON_CANON_UNKNOWN,
    [DKIM_SIGERROR_INVALID_BC] = DKIM_REASON_CANON_UNKNOWN,
    [DKIM_SIGERROR_MISSING_A] = DKIM_REASON_MISSING_A,
    [DKIM_SIGERROR_INVALID_A] = DKIM_REASON_ALGORITHM_UNKNOWN,
    [DKIM_SIGERROR_MISSING_H] = DKIM_REASON_MISSING_H,
    [DKIM_SIGERROR_INVALID_L] = DKIM_REASON_BAD_L,
    [DKIM_SIGERROR_INVALID_Q] = DKIM_REASON_QUERY_UNKNOWN,
    [DKIM_SIGERROR_INVALID_QO] = DKIM_REASON_QUERY_UNKNOWN,
    [DKIM_SIGERROR_MISSING_D] = DKIM_REASON_MISSING_D,
    [DKIM_SIGERROR_EMPTY_D] = DKIM_REASON_BAD_D,
    [DKIM_SIGERROR_MISSING_S] = DKIM_REASON_MISSING_S,
    [DKIM_SIGERROR_EMPTY_S] = DKIM_REASON_BAD_S,
    [DKIM_SIGERROR_MISSING_B] = DKIM_REASON_MISSING_B,
    [DKIM_SIGERROR_EMPTY_B] = DKIM_REASON_BAD_B,
    [DKIM_SIGERROR_CORRUPT_B] = DKIM_REASON_BAD_B,
    [DKIM_SIGERROR_NOKEY] = DKIM_REASON_KEY_NONE,
    [DKIM_SIGERROR_DNSSYNTAX] = DKIM_REASON_KEY_SYNTAX,
    [DKIM_SIGERROR_KEYFAIL] = DKIM_REASON_DNS_FAILURE,
    [DKIM_SIGERROR_MISSING_BH] = DKIM_REASON_MISSING_BH,
    [DKIM_SIGERROR_EMPTY_BH] = DKIM_REASON_BAD_BH,
    [DKIM_SIGERROR_CORRUPT_BH] = DKIM_REASON_BAD_BH,
    [DKIM_SIGERROR_BADSIG] = DKIM_REASON_SIGNATURE_MISMATCH,
    [DKIM_SIGERROR_SUBDOMAIN] = DKIM_REASON_IDENTITY_STRICT,
    [DKIM_SIGERROR_MULTIREPLY] = DKIM_REASON_KEY_SEVERAL,
    [DKIM_SIGERROR_EMPTY_H] = DKIM_REASON_BAD_H,
    [DKIM_SIGERROR_INVALID_H] = DKIM_REASON_FROM_UNSIGNED,
    [DKIM_SIGERROR_TOOLARGE_L] = DKIM_REASON_LENGTH_BEYOND,
    [DKIM_SIGERROR_KEYVERSION] = DKIM_REASON_KEY_VERSION,
    [DKIM_SIGERROR_KEYUNKNOWNHASH] = DKIM_REASON_KEY_HASH,
    [DKIM_SIGERROR_KEYHASHMISMATCH] = DKIM_REASON_KEY_HASH,
    [DKIM_SIGERROR_NOTEMAILKEY] = DKIM_REASON_KEY_SERVICE,
    [DKIM_SIGERROR_KEYTYPEMISSING] = DKIM_REASON_KEY_TYPE_UNKNOWN,
    [DKIM_SIGERROR_KEYTYPEUNKNOWN] = DKIM_REASON_KEY_TYPE_UNKNOWN,
    [DKIM_SIGERROR_KEYREVOKED] = DKIM_REASON_KEY_REVOKED,
    [DKIM_SIGERROR_KEYDECODE] = DKIM_REASON_KEY_MALFORMED,
    [DKIM_SIGERROR_MISSING_V] = DKIM_REASON_MISSING_V,
    [DKIM_SIGERROR_EMPTY_V] = DKIM_REASON_VERSION_UNKNOWN,
    [DKIM_SIGERROR_KEYTOOSMALL] = DKIM_REASON_KEY_SHORT,
};

static enum dkim_reason judge(DKIM_SIGINFO *handle)
{
    int error = dkim_sig_geterror(handle);
    enum dkim_reason reason = DKIM_REASON_ENGINE;

    if (dkim_sig_getbh(handle) == DKIM_SIGBH_MISMATCH && error != DKIM_SIGERROR_SUBDOMAIN)
        return DKIM_REASON_BODY_HASH_MISMATCH;
    if (error == DKIM_SIGERROR_OK && DKIM_SIG_CHECK(handle))
        return DKIM_REASON_NONE;
    if (error > 0 && (size_t)error < sizeof(reasons) / sizeof(reasons[0]) && reasons[error] != 0)
        reason = reasons[error];
    return reason;
}

/* The library keeps count of the body as it came only, so that is what l= is compared with. */
static void read_handle(struct message *message, const struct signature *signature,
                        struct dkim_peer_result *result)
{
    ssize_t body_len, signed_len;
    unsigned bits = 0;

    if (result->reason == DKIM_REASON_NONE)
        result->reason = judge(signature->handle);
    if (dkim_sig_getkeysize(signature->handle, &bits) == DKIM_STAT_OK)
        result->key_bits = bits;
    result->evaluated = (dkim_sig_getflags(signature->handle) & DKIM_SIGFLAG_PROCESSED) != 0;
    result->testing = (dkim_sig_getflags(signature->handle) & DKIM_SIGFLAG_TESTKEY) != 0;
    if (dkim_sig_getcanonlen(message->dkim, signature->handle, &body_len, NULL, &signed_len) ==
            DKIM_STAT_OK &&
        signed_len >= 0 && body_len > signed_len)
        result->unsigned_octets = (uint64_t)(body_len - signed_len);
}

static bool report(struct message *message)
{
    for (size_t i = 0; i < message->count; i++) {
        const struct signature *signature = &message->signatures[i];
        struct dkim_peer_result result = {.reason = (uint32_t)signature->reason};

        if (signature->handle != NULL)
            read_handle(message, signature, &result);
        else if (signature->reason == DKIM_REASON_NONE)
            result.reason = DKIM_REASON_ENGINE;
        if (!dkim_peer_send(message->fd, DKIM_PEER_RESULT,
                            am_span_of((const char *)&result, sizeof(result))))
            return false;
    }
    return dkim_peer_send(message->fd, DKIM_PEER_DONE, am_span_of(NULL, 0));
}

static bool begin(struct message *message)
{
    DKIM_STAT status;

    if (message->frame.len != sizeof(message->limits))
        return false;
    memcpy(&message->limits, message->frame.data, sizeof(message->limits));
    u_int bits = message->limits.min_key_bits;
    uint64_t drift_s = (uint64_t)message->limits.clock_skew_s;
    if (dkim_options(message->lib, DKIM_OP_SETOPT, DKIM_OPTS_MINKEYBITS, &bits, sizeof(bits)) !=
            DKIM_STAT_OK ||
        dkim_options(message->lib, DKIM_OP_SETOPT, DKIM_OPTS_CLOCKDRIFT, &drift_s,
                     sizeof(drift_s)) != DKIM_STAT_OK)
        return false;
    message->dkim = dkim_verify(message->lib, (const unsigned char *)"message", NULL, &status);
    message->count = 0;
    message->header_done = message->failed = message->has_body = false;
    memset(message->last, 0, sizeof(message->last));
    return message->dkim != NULL && dkim_set_user_context(message->dkim, message) == DKIM_STAT_OK;
}

static void take_body(struct message *message, struct am_span chunk)
{
    if (chunk.len == 0)
        return;
    message->has_body = true;
    message->last[0] = chunk.len > 1 ? chunk.ptr[chunk.len - 2] : message->last[1];
    message->last[1] = chunk.ptr[chunk.len - 1];
    (void)dkim_body(message->dkim, (u_char *)(uintptr_t)chunk.ptr, chunk.len);
}

/* The end of the header comes with the first octet of the body, or without any. */
static void end_header(struct message *message)
{
    if (!message->header_done)
        (void)dkim_eoh(message->dkim); /* shows in the handles */
    message->header_done = true;
}

static bool end(struct message *message)
{
    end_header(message);
    if (message->has_body && memcmp(message->last, "\r\n", 2) != 0)
        take_body(message, am_span_str("\r\n"));
    (void)dkim_eom(message->dkim, NULL); /* likewise */
    bool good = !message->failed && report(message);
    (void)dkim_free(message->dkim);
    message->dkim = NULL;
    return good;
}

static bool take_frame(struct message *message, enum dkim_peer_type type)
{
    if ((message->dkim == NULL) != (type == DKIM_PEER_BEGIN))
        return false;
    switch (type) {
    case DKIM_PEER_BEGIN:
        return begin(message);
    case DKIM_PEER_FIELD:
        if (message->frame.len > 0)
            take_field(message);
        return true;
    case DKIM_PEER_BODY:
        end_header(message);
        take_body(message, am_buf_span(&message->frame));
        return true;
    case DKIM_PEER_END:
        return end(message);
    default:
        return false;
    }
}

static DKIM_LIB *open_library(void)
{
    u_int flags = DKIM_LIBFLAGS_BADSIGHANDLES | DKIM_LIBFLAGS_DELAYSIGPROC;
    DKIM_LIB *lib = dkim_init(NULL, NULL);

    if (lib == NULL ||
        dkim_options(lib, DKIM_OP_SETOPT, DKIM_OPTS_FLAGS, &flags, sizeof(flags)) != DKIM_STAT_OK ||
        dkim_set_prescreen(lib, prescreen) != DKIM_STAT_OK ||
        dkim_set_key_lookup(lib, key_lookup) != DKIM_STAT_OK)
        return NULL;
    return lib;
}

int main(void)
{
    static struct message message = {.fd = STDIN_FILENO};
    enum dkim_peer_type type;

    am_buf_init(&message.frame, DKIM_PEER_FRAME_MAX);
    message.lib = open_library();
    if (message.lib == NULL)
        return EXIT_FAILURE;
    while (dkim_peer_receive(message.fd, &type, &message.frame) && take_frame(&message, type))
        continue;
    return EXIT_SUCCESS;
}
