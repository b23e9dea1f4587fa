#include "tests/bench/load.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "authmilter/mta/fields.h"

/* Postfix's MILTER_CHUNK_SIZE. */
#define CHUNK 65535

static const char *const fields[][2] = {
    {"Received",
     " from client.example (client.example [192.0.2.1])\n\tby mx.example.org (Postfix) "
     "with ESMTPS id 4ABCDEFGHI\n\tfor <user@example.org>; Thu,  1 Jan 2026 00:00:00 +0000"},
    {"Date", " Thu, 1 Jan 2026 00:00:00 +0000"},
    {"From", " A Sender <sender@example.com>"},
    {"To", " A Recipient <user@example.org>"},
    {"Subject", " a message of usual size"},
    {"Message-ID", " <20260101000000.4ABCDEFGHI@example.com>"},
    {"MIME-Version", " 1.0"},
    {"Content-Type", " text/plain; charset=utf-8"},
    {"Content-Transfer-Encoding", " 7bit"},
    {"User-Agent", " a mail program"},
};

void load_packets_init(struct load_packets *packets)
{
    am_buf_init(&packets->bytes, 0);
    packets->wait_count = 0;
}

void load_packets_clear(struct load_packets *packets)
{
    am_buf_clear(&packets->bytes);
    packets->wait_count = 0;
}

void load_packets_fini(struct load_packets *packets)
{
    am_buf_fini(&packets->bytes);
    packets->wait_count = 0;
}

/* Opens a packet whose length is filled in by close_packet(). */
static size_t open_packet(struct load_packets *packets, enum mta_command command)
{
    size_t start = packets->bytes.len;
    mta_put_u32(&packets->bytes, 0);
    am_buf_add_char(&packets->bytes, (char)command);
    return start;
}

static void close_packet(struct load_packets *packets, size_t start)
{
    uint32_t len = (uint32_t)(packets->bytes.len - start - 4);
    for (int i = 0; i < 4 && !packets->bytes.failed; i++)
        packets->bytes.data[start + (size_t)i] = (char)(len >> (24 - 8 * i));
}

void load_packets_await(struct load_packets *packets, uint32_t steps, uint32_t no_reply)
{
    if ((steps & no_reply) != 0)
        return;
    if (packets->wait_count < LOAD_WAITS_MAX)
        packets->waits[packets->wait_count++] = packets->bytes.len;
    else
        packets->bytes.failed = true;
}

void load_packets_add(struct load_packets *packets, uint32_t steps, enum mta_command command,
                      const char *first, const char *second, uint32_t no_send, uint32_t no_reply)
{
    if ((steps & no_send) != 0)
        return;
    size_t start = open_packet(packets, command);
    if (first != NULL)
        mta_put_string(&packets->bytes, am_span_str(first));
    if (second != NULL)
        mta_put_string(&packets->bytes, am_span_str(second));
    close_packet(packets, start);
    load_packets_await(packets, steps, no_reply);
}

void load_packets_add_queue_id(struct load_packets *packets, enum mta_command stage)
{
    size_t start = open_packet(packets, MTA_CMD_MACRO);
    am_buf_add_char(&packets->bytes, (char)stage);
    mta_put_string(&packets->bytes, am_span_str("i"));
    mta_put_string(&packets->bytes, am_span_str("4ABCDEFGHI"));
    close_packet(packets, start);
}

/* Without the step the blank behind the colon is the MTA's, not the milter's. */
static void put_field(struct load_packets *packets, uint32_t steps, const char *name,
                      const char *value)
{
    bool blank_is_ours = (steps & MTA_STEP_HEADER_SPACE) == 0 && *value == ' ';
    load_packets_add(packets, steps, MTA_CMD_HEADER, name, value + blank_is_ours,
                     MTA_STEP_NO_HEADERS, MTA_STEP_NR_HEADER);
}

static void put_body(struct load_packets *packets, uint32_t steps, struct am_span body)
{
    if ((steps & MTA_STEP_NO_BODY) != 0)
        return;
    while (body.len > 0) {
        size_t len = body.len < CHUNK ? body.len : CHUNK;
        size_t start = open_packet(packets, MTA_CMD_BODY);
        am_buf_add(&packets->bytes, am_span_of(body.ptr, len));
        close_packet(packets, start);
        load_packets_await(packets, steps, MTA_STEP_NR_BODY);
        body = am_span_of(body.ptr + len, body.len - len);
    }
}

/* A message of ours. */
static void put_own(struct load_packets *packets, uint32_t steps, size_t size)
{
    static const char line[] = "The quick brown fox jumps over the lazy dog, again and again.\r\n";
    struct am_buf body;
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
        put_field(packets, steps, fields[i][0], fields[i][1]);
    load_packets_add(packets, steps, MTA_CMD_EOH, NULL, NULL, MTA_STEP_NO_EOH, MTA_STEP_NR_EOH);
    am_buf_init(&body, 0);
    while (body.len < size && !body.failed)
        am_buf_add(&body, am_span_of(line, sizeof(line) - 1));
    packets->bytes.failed = packets->bytes.failed || body.failed;
    put_body(packets, steps, am_buf_span(&body));
    am_buf_fini(&body);
}

/* Takes the CR off each line end, as MTAs do in fields, and ends the text with a NUL. */
static void drop_cr(char *text, size_t len)
{
    size_t put = 0;
    for (size_t i = 0; i < len; i++)
        if (text[i] != '\r' || text[i + 1] != '\n')
            text[put++] = text[i];
    text[put] = '\0';
}

/* The length of the field at the start of `text` without its CRLF; 0 at the empty line. */
static size_t field_len(struct am_span text)
{
    size_t at = 0;
    while (at + 2 < text.len && !(text.ptr[at] == '\r' && text.ptr[at + 1] == '\n' &&
                                  (text.ptr[at + 2] != ' ' && text.ptr[at + 2] != '\t')))
        at++;
    return at;
}

/* A message from a file with CRLF at its line ends; the text is written to. */
static bool put_message(struct load_packets *packets, uint32_t steps, char *text, size_t len)
{
    size_t field;
    while ((field = field_len(am_span_of(text, len))) > 0) {
        size_t colon = am_span_find(am_span_of(text, field), ':');
        if (colon == field || len - field < 4)
            return false;
        drop_cr(text + colon + 1, field - colon - 1);
        text[colon] = '\0';
        put_field(packets, steps, text, text + colon + 1);
        text += field + 2;
        len -= field + 2;
    }
    load_packets_add(packets, steps, MTA_CMD_EOH, NULL, NULL, MTA_STEP_NO_EOH, MTA_STEP_NR_EOH);
    put_body(packets, steps, am_span_of(text + 2, len - 2));
    return true;
}

static bool put_file(struct load_packets *packets, uint32_t steps, const char *path,
                     struct am_problem *problem)
{
    struct am_buf text;
    char room[16384];
    size_t got;
    FILE *file = fopen(path, "r");
    if (file == NULL)
        return am_problem_set(problem, "%s: %s", path, strerror(errno));
    am_buf_init(&text, 0);
    while ((got = fread(room, 1, sizeof(room), file)) > 0)
        am_buf_add(&text, am_span_of(room, got));
    bool good = !ferror(file) && !text.failed && put_message(packets, steps, text.data, text.len);
    fclose(file);
    am_buf_fini(&text);
    return good || am_problem_set(problem, "%s cannot be read as a message", path);
}

bool load_packets_build(struct load_packets *packets, const char *message, size_t size,
                        uint32_t steps, struct am_problem *problem)
{
    if (message == NULL)
        put_own(packets, steps, size);
    else if (!put_file(packets, steps, message, problem))
        return false;
    return !packets->bytes.failed ||
           am_problem_set(problem, "the message has too many parts, or memory is short");
}
