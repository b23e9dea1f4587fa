#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "authmilter/cmd_sign.h"
#include "authmilter/command.h"
#include "authmilter/tool_key.h"
#include "authmilter/tool_mail.h"
#include "authmilter/tool_name.h"
#include "dkim-milter/dkim_author.h"

/* RFC 5321 section 4.5.3.1.6, without the line end. */
#define LINE_MAX_OCTETS 998

/* Fields of all keys; each value is bounded by the engine. */
#define FIELDS_MAX ((size_t)16 << 20)

/* What is at work; everything lives in the arena. */
struct work {
    const struct sign_arguments *args;
    struct am_arena *arena;
    struct dkim_sign_request requests[SIGN_KEYS_MAX];
    struct tool_mail *mail;
    struct dkim_fields fields;
    struct am_buf signatures; /* the fields, with the message's line ends */
};

static void free_key(void *object)
{
    dkim_private_key_free(object);
}

/* Loads a key and checks its names. Returns 0 or the exit status. */
static int prepare_key(struct work *work, const struct sign_key *from,
                       struct dkim_sign_request *request)
{
    struct am_problem problem;

    request->domain = tool_name_domain(work->arena, from->domain, &problem);
    if (request->domain != NULL)
        request->selector = tool_name_selector(work->arena, from->selector, &problem);
    if (request->selector == NULL)
        return sign_wrong_usage(problem.text);
    request->identity = work->args->identity;
    if (request->identity != NULL &&
        !tool_name_check_identity(work->arena, request->identity, request->domain, &problem))
        return sign_wrong_usage(problem.text);
    struct dkim_private_key *key = tool_key_load(from->path, &problem);
    if (key == NULL)
        return sign_unavailable(problem.text);
    request->key = key;
    if (!am_arena_defer(work->arena, free_key, key)) {
        dkim_private_key_free(key);
        return sign_unavailable("out of memory");
    }
    return 0;
}

/* Two keys under one name cannot both be published. */
static bool is_twice(const struct work *work, size_t index)
{
    const struct dkim_sign_request *this = &work->requests[index];

    for (size_t i = 0; i < index; i++)
        if (strcmp(work->requests[i].domain, this->domain) == 0 &&
            strcmp(work->requests[i].selector, this->selector) == 0)
            return true;
    return false;
}

/* Returns 0 or the exit status. */
static int prepare(struct work *work)
{
    const struct sign_arguments *args = work->args;
    struct am_problem problem;
    const struct dkim_sign_names *names =
        dkim_sign_names_new(work->arena, &args->headers, &args->oversign, &problem);

    if (names == NULL)
        return sign_wrong_usage(problem.text);
    for (size_t i = 0; i < args->key_count; i++) {
        struct dkim_sign_request *request = &work->requests[i];

        *request = (struct dkim_sign_request){
            .names = names,
            .header_canon = args->header_canon,
            .body_canon = args->body_canon,
            .expire_s = args->expire_s,
            .timestamp = true,
            .copied_fields = args->copied_fields,
        };
        int status = prepare_key(work, &args->keys[i], request);
        if (status != 0)
            return status;
        if (is_twice(work, i))
            return sign_wrong_usage("two keys with the same domain and selector");
    }
    return 0;
}

/* A signature that no verifier would take helps nobody. Returns 0 or the exit status. */
static int check_author(const struct work *work)
{
    size_t count;
    const char *why = NULL;

    dkim_fields_find(&work->fields, am_span_str("from"), &count);
    if (count == 0)
        why = "no From field: such a message cannot be signed (RFC 6376 section 5.4)";
    else if (count > 1)
        why = "several From fields: no verifier should let a signature of it pass";
    if (why == NULL)
        return 0;
    fprintf(stderr, "authmilter sign: %s: %s\n", work->args->file, why);
    return SIGN_EXIT_UNSIGNED;
}

/* Says what may change on the way after it was signed, or was not clear. */
static void warn(const struct work *work)
{
    const struct tool_mail_notes *notes = tool_mail_notes(work->mail);
    const char *file = work->args->file;

    if (notes->no_separator > 0)
        fprintf(stderr,
                "authmilter sign: %s: line %zu is no header field and no empty line: the body "
                "begins there\n",
                file, notes->no_separator);
    if (notes->longest_line > LINE_MAX_OCTETS)
        fprintf(stderr,
                "authmilter sign: %s: warning: a line of %" PRIu64 " octets, more than 998: an MTA "
                "may divide it, which breaks the signature\n",
                file, notes->longest_line);
    if (notes->eight_bit)
        fprintf(stderr,
                "authmilter sign: %s: warning: the body has octets above 127: an MTA may encode "
                "them for a receiver without 8BITMIME, which breaks the signature\n",
                file);
    if (notes->bare_cr || notes->bare_lf || notes->nul)
        fprintf(stderr,
                "authmilter sign: %s: warning: the body has bare CRs, bare LFs or NULs, which an "
                "MTA may change, which breaks the signature\n",
                file);
}

/* Appends a field whose folds are LF, with the line ends of the message. */
static void add_field(struct work *work, const char *value)
{
    const char *end = tool_mail_notes(work->mail)->lf_ends ? "\n" : "\r\n";
    struct am_span rest = am_span_str(value);

    am_buf_add_str(&work->signatures, "DKIM-Signature: ");
    while (rest.len > 0) {
        size_t len = am_span_find(rest, '\n');
        am_buf_add(&work->signatures, am_span_of(rest.ptr, len));
        am_buf_add_str(&work->signatures, end);
        len += len < rest.len;
        rest = am_span_of(rest.ptr + len, rest.len - len);
    }
}

/* Reads the message and makes the fields. Returns 0 or the exit status. */
static int sign(struct work *work)
{
    const struct sign_arguments *args = work->args;
    const char *values[SIGN_KEYS_MAX];
    struct am_problem problem;
    struct am_span chunk;

    work->mail = tool_mail_open(work->arena, args->file, args->message, &problem);
    dkim_fields_init(&work->fields, work->arena, false);
    if (work->mail == NULL || !tool_mail_header(work->mail, &work->fields, &problem))
        return sign_unavailable(problem.text);
    int status = check_author(work);
    if (status != 0)
        return status;
    struct dkim_signer *signer = dkim_signer_new(work->arena, &args->clock.clock, &work->fields,
                                                 work->requests, args->key_count);
    if (signer == NULL)
        return sign_unavailable("out of memory");
    do {
        if (!tool_mail_body(work->mail, &chunk, &problem))
            return sign_unavailable(problem.text);
        dkim_signer_body(signer, chunk);
    } while (chunk.len > 0);
    warn(work);
    if (dkim_signer_finish(signer, values, &problem) < args->key_count)
        return sign_unavailable(problem.text);
    for (size_t i = 0; i < args->key_count; i++)
        add_field(work, values[i]);
    return work->signatures.failed ? sign_unavailable("out of memory") : 0;
}

/* Returns 0 or the exit status. */
static int print(struct work *work)
{
    struct am_span fields = am_buf_span(&work->signatures);
    struct am_problem problem;

    if (!work->args->message)
        fwrite(fields.ptr, 1, fields.len, stdout);
    else if (!tool_mail_copy(work->mail, fields, stdout, &problem))
        return sign_unavailable(problem.text);
    if (fflush(stdout) == 0 && !ferror(stdout))
        return 0;
    am_problem_set(&problem, "standard output: %s", strerror(errno));
    return sign_unavailable(problem.text);
}

int sign_run(const struct sign_arguments *args)
{
    struct work work = {.args = args, .arena = am_arena_new(65536, 0)};

    if (work.arena == NULL)
        return sign_unavailable("out of memory");
    am_buf_init(&work.signatures, FIELDS_MAX);
    int status = prepare(&work);
    if (status == 0)
        status = sign(&work);
    if (status == 0)
        status = print(&work);
    am_buf_fini(&work.signatures);
    am_arena_free(work.arena);
    return status;
}
