#include "common/dns/dns_recording_json.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/base/ip.h"
#include "common/dns/octets_json.h"

#define FORMAT "authmilter-dns"
#define VERSION 1

/* --- writing --- */

static json_t *address_json(unsigned char family, const void *bytes, size_t len)
{
    struct am_ip ip = {.family = family};
    char text[AM_IP_TEXT_MAX];

    memcpy(ip.bytes, bytes, len);
    return json_string(am_ip_format(&ip, text));
}

static json_t *record_json(enum am_dns_type type, const struct am_dns_record *record)
{
    switch (type) {
    case AM_DNS_A:
        return address_json(4, record->a, sizeof(record->a));
    case AM_DNS_AAAA:
        return address_json(6, record->aaaa, sizeof(record->aaaa));
    case AM_DNS_MX:
        return json_pack("{s:i, s:o}", "preference", (int)record->preference, "name",
                         am_octets_to_json(record->text));
    default:
        return am_octets_to_json(record->text);
    }
}

static json_t *answer_json(const struct am_dns_recorded *item)
{
    json_t *records = json_array();

    for (size_t i = 0; records != NULL && i < item->answer.count; i++)
        if (json_array_append_new(records, record_json(item->type, &item->answer.records[i])) !=
            0) {
            json_decref(records);
            return NULL;
        }
    return json_pack(
        "{s:o, s:s, s:s, s:I, s:b, s:o}", "name", am_octets_to_json(am_span_str(item->name)),
        "type", am_dns_type_word(item->type), "outcome", am_dns_outcome_word(item->answer.outcome),
        "ttl", (json_int_t)item->answer.ttl_s, "secure", item->answer.secure, "records", records);
}

json_t *am_dns_recording_to_json(const struct am_dns_recording *recording)
{
    json_t *answers = json_array();

    for (const struct am_dns_recorded *item = recording->first; answers != NULL && item != NULL;
         item = item->next)
        if (json_array_append_new(answers, answer_json(item)) != 0) {
            json_decref(answers);
            return NULL;
        }
    return answers;
}

/* --- reading --- */

static bool read_address(const json_t *value, unsigned char family, void *bytes, size_t len)
{
    const char *text = json_string_value(value);
    struct am_ip ip;

    if (text == NULL || strchr(text, '/') != NULL || !am_ip_parse(&ip, am_span_str(text)) ||
        ip.family != family)
        return false;
    memcpy(bytes, ip.bytes, len);
    return true;
}

static bool read_record(struct am_arena *arena, enum am_dns_type type, const json_t *value,
                        struct am_dns_record *record)
{
    const json_t *preference;

    switch (type) {
    case AM_DNS_A:
        return read_address(value, 4, record->a, sizeof(record->a));
    case AM_DNS_AAAA:
        return read_address(value, 6, record->aaaa, sizeof(record->aaaa));
    case AM_DNS_MX:
        preference = json_object_get(value, "preference");
        if (!json_is_integer(preference) || json_integer_value(preference) < 0 ||
            json_integer_value(preference) > UINT16_MAX)
            return false;
        record->preference = (uint16_t)json_integer_value(preference);
        return am_octets_from_json(arena, json_object_get(value, "name"), &record->text);
    default:
        return am_octets_from_json(arena, value, &record->text);
    }
}

static bool read_records(struct am_arena *arena, enum am_dns_type type, const json_t *list,
                         struct am_dns_answer *answer)
{
    size_t count = json_array_size(list);
    struct am_dns_record *records = count > AM_DNS_RECORDING_QUESTIONS_MAX
                                        ? NULL
                                        : am_arena_alloc(arena, (count + 1) * sizeof(*records));

    if (records == NULL || (answer->outcome == AM_DNS_OK) != (count > 0))
        return false;
    for (size_t i = 0; i < count; i++)
        if (!read_record(arena, type, json_array_get(list, i), &records[i]))
            return false;
    answer->records = records;
    answer->count = count;
    return true;
}

static const char *word_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text == NULL ? "" : text;
}

static bool read_answer(struct am_dns_recording *recording, const json_t *item)
{
    struct am_dns_answer answer = {.outcome = AM_DNS_OK};
    const json_t *ttl = json_object_get(item, "ttl");
    struct am_span name;
    enum am_dns_type type;

    if (!am_octets_from_json(recording->arena, json_object_get(item, "name"), &name) ||
        strlen(name.ptr) != name.len || !am_dns_type_find(word_of(item, "type"), &type) ||
        !am_dns_outcome_find(word_of(item, "outcome"), &answer.outcome) ||
        json_integer_value(ttl) < 0 || json_integer_value(ttl) > UINT32_MAX)
        return false;
    answer.ttl_s = (uint32_t)json_integer_value(ttl);
    answer.secure = json_is_true(json_object_get(item, "secure"));
    if (!read_records(recording->arena, type, json_object_get(item, "records"), &answer))
        return false;
    am_dns_recording_add(recording, name.ptr, type, &answer);
    return true;
}

bool am_dns_recording_from_json(struct am_dns_recording *recording, const json_t *answers,
                                struct am_problem *problem)
{
    if (!json_is_array(answers))
        return am_problem_set(problem, "the answers of the DNS are no list");
    for (size_t i = 0; i < json_array_size(answers); i++)
        if (!read_answer(recording, json_array_get(answers, i)))
            return am_problem_set(problem, "answer %zu of the DNS is not of the form", i + 1);
    return !recording->cut ||
           am_problem_set(problem,
                          "more than %d answers of the DNS, or more "
                          "than %zu MiB of them",
                          AM_DNS_RECORDING_QUESTIONS_MAX, AM_DNS_RECORDING_BYTES_MAX >> 20);
}

/* --- files --- */

bool am_dns_recording_parse(struct am_dns_recording *recording, struct am_span text,
                            const char *name, int64_t *now_s, struct am_problem *problem)
{
    json_error_t error;
    struct am_problem inner;
    json_t *root = json_loadb(text.ptr, text.len, JSON_REJECT_DUPLICATES, &error);
    bool good = false;

    if (root == NULL) {
        return am_problem_set(problem, "%s:%d: no JSON: %s", name, error.line, error.text);
    } else if (strcmp(word_of(root, "format"), FORMAT) != 0) {
        am_problem_set(problem, "%s: no recording of the DNS: \"format\" is not \"%s\"", name,
                       FORMAT);
    } else if (json_integer_value(json_object_get(root, "version")) != VERSION) {
        am_problem_set(problem, "%s: of another version; this program reads version %d", name,
                       VERSION);
    } else if (!am_dns_recording_from_json(recording, json_object_get(root, "answers"), &inner)) {
        am_problem_set(problem, "%s: %s", name, inner.text);
    } else {
        *now_s = json_integer_value(json_object_get(root, "time"));
        good = true;
    }
    json_decref(root);
    return good;
}

bool am_dns_recording_load(struct am_dns_recording *recording, const char *path, int64_t *now_s,
                           struct am_problem *problem)
{
    FILE *file = fopen(path, "re");
    char block[16384];
    struct am_buf text;
    size_t len;
    bool good;

    if (file == NULL)
        return am_problem_set(problem, "%s: cannot be opened: %m", path);
    am_buf_init(&text, AM_DNS_RECORDING_FILE_MAX);
    while ((len = fread(block, 1, sizeof(block), file)) > 0 && !text.failed)
        am_buf_add(&text, am_span_of(block, len));
    if (ferror(file))
        good = am_problem_set(problem, "%s: cannot be read: %m", path);
    else if (text.failed)
        good = am_problem_set(problem, "%s: larger than %zu MiB", path,
                              AM_DNS_RECORDING_FILE_MAX >> 20);
    else
        good = am_dns_recording_parse(recording, am_buf_span(&text), path, now_s, problem);
    am_buf_fini(&text);
    fclose(file);
    return good;
}

bool am_dns_recording_save(const struct am_dns_recording *recording, int64_t now_s,
                           const char *path, struct am_problem *problem)
{
    json_t *root = json_pack("{s:s, s:i, s:I, s:o}", "format", FORMAT, "version", VERSION, "time",
                             (json_int_t)now_s, "answers", am_dns_recording_to_json(recording));
    bool good;

    if (root == NULL)
        return am_problem_set(problem, "out of memory");
    good = !recording->cut ||
           am_problem_set(problem, "%s: more was asked than a recording holds", path);
    if (good && json_dump_file(root, path, JSON_INDENT(1)) != 0)
        good = am_problem_set(problem, "%s cannot be written: %m", path);
    json_decref(root);
    return good;
}
