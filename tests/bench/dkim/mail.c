#include "tests/bench/dkim/mail.h"

#include <string.h>

#include "dkim-milter/dkim_base64.h"

static const char *const header[][2] = {
    {"Received",
     " from client.example (client.example [192.0.2.1])\n\tby mx.example.org (Postfix) "
     "with ESMTPS id 4ABCDEFGHI\n\tfor <user@example.org>; Thu,  1 Jan 2026 00:00:00 +0000"},
    {"Date", " Thu, 1 Jan 2026 00:00:00 +0000"},
    {"From", " A Sender <sender@" BENCH_DOMAIN ">"},
    {"To", " A Recipient <user@example.org>"},
    {"Subject", " a message of usual size"},
    {"Message-ID", " <20260101000000.4ABCDEFGHI@" BENCH_DOMAIN ">"},
    {"MIME-Version", " 1.0"},
    {"Content-Type", " text/plain; charset=utf-8"},
    {"Content-Transfer-Encoding", " 7bit"},
    {"User-Agent", " a mail program"},
};
#define HEADER_COUNT (sizeof(header) / sizeof(header[0]))

/* Most lines are canonical as they are; a few have what relaxed has to mend. */
static const char *const lines[] = {
    "The quick brown fox jumps over the lazy dog, again and again.\r\n",
    "It does so in every mail that was ever written for a benchmark, and\r\n",
    "nobody knows why.  Some people put two blanks behind a full stop.\r\n",
    "\r\n",
    "VGhlIHF1aWNrIGJyb3duIGZveCBqdW1wcyBvdmVyIHRoZSBsYXp5IGRvZywgYWdhaW4gYW5kIGFn\r\n",
    "VGhlIGxhenkgZG9nIGhhcyBzZWVuIGl0IGFsbCBhbmQgZG9lcyBub3QgbG9vayB1cCBhbnkgbW9y\r\n",
    "Lines that end with a blank are what format=flowed makes of long ones, \r\n",
    "and this is the line behind one of them.\r\n",
};
#define LINE_COUNT (sizeof(lines) / sizeof(lines[0]))

bool bench_mail_make(struct bench_mail *mail, struct am_arena *arena, size_t size)
{
    size_t len = 0;
    char *body = am_arena_alloc(arena, size + 128);

    *mail = (struct bench_mail){.field_count = HEADER_COUNT};
    if (body == NULL)
        return false;
    for (size_t i = 0; i < HEADER_COUNT; i++) {
        mail->fields[i].name = am_span_str(header[i][0]);
        mail->fields[i].value = am_span_str(header[i][1]);
    }
    for (size_t i = 0; len < size; i++) {
        struct am_span line = am_span_str(lines[i % LINE_COUNT]);
        memcpy(body + len, line.ptr, line.len);
        len += line.len;
    }
    mail->body = am_span_of(body, len);
    return true;
}

bool bench_mail_request(struct dkim_sign_request *request, struct am_arena *arena,
                        const struct dkim_private_key *key, struct am_problem *problem)
{
    *request = (struct dkim_sign_request){
        .domain = BENCH_DOMAIN,
        .selector = BENCH_SELECTOR,
        .key = key,
        .names = dkim_sign_names_new(arena, NULL, NULL, problem),
        .header_canon = DKIM_CANON_RELAXED,
        .body_canon = DKIM_CANON_RELAXED,
        .timestamp = true,
    };
    return request->names != NULL;
}

bool bench_mail_sign(struct bench_mail *to, const struct bench_mail *mail, struct am_arena *arena,
                     const struct dkim_private_key *key, struct am_problem *problem)
{
    struct dkim_sign_request request;
    const char *value = NULL;
    struct dkim_fields fields;

    if (!bench_mail_request(&request, arena, key, problem))
        return false;
    dkim_fields_init(&fields, arena, false);
    for (size_t i = 0; i < mail->field_count; i++)
        if (dkim_fields_add(&fields, mail->fields[i].name, mail->fields[i].value) == NULL)
            return am_problem_set(problem, "out of memory");
    if (!dkim_fields_prepare(&fields))
        return am_problem_set(problem, "out of memory");
    struct dkim_signer *signer = dkim_signer_new(arena, am_clock_system(), &fields, &request, 1);
    if (signer == NULL)
        return am_problem_set(problem, "out of memory");
    dkim_signer_body(signer, mail->body);
    if (dkim_signer_finish(signer, &value, problem) != 1)
        return false;
    value = am_arena_printf(arena, " %s", value);
    if (value == NULL)
        return am_problem_set(problem, "out of memory");
    *to = *mail;
    memmove(&to->fields[1], &to->fields[0], mail->field_count * sizeof(to->fields[0]));
    to->fields[0].name = am_span_str("DKIM-Signature");
    to->fields[0].value = am_span_str(value);
    to->field_count = mail->field_count + 1;
    return true;
}

bool bench_mail_write(const struct bench_mail *mail, FILE *file)
{
    for (size_t i = 0; i < mail->field_count; i++) {
        struct am_span value = mail->fields[i].value;
        fprintf(file, "%.*s:", (int)mail->fields[i].name.len, mail->fields[i].name.ptr);
        for (size_t k = 0; k < value.len; k++)
            fputs(value.ptr[k] == '\n' ? "\r\n" : (char[2]){value.ptr[k], '\0'}, file);
        fputs("\r\n", file);
    }
    fputs("\r\n", file);
    fwrite(mail->body.ptr, 1, mail->body.len, file);
    return fflush(file) == 0 && !ferror(file);
}

const char *bench_mail_zone(struct am_arena *arena, const struct dkim_private_key *key)
{
    struct am_buf digits;
    const char *line = NULL;

    am_buf_init(&digits, 0);
    dkim_base64_encode(&digits, dkim_private_key_public_octets(key));
    if (!digits.failed && digits.len > 200)
        line =
            am_arena_printf(arena,
                            BENCH_SELECTOR "._domainkey." BENCH_DOMAIN
                                           ". 3600 IN TXT \"v=DKIM1; k=%s; p=%.200s\" \"%.*s\"\n",
                            dkim_key_type_word(dkim_private_key_type(key)), digits.data,
                            (int)digits.len - 200, digits.data + 200);
    am_buf_fini(&digits);
    return line;
}
