#include "authmilter/tool_key.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "dkim-milter/dkim_key_file.h"
#include "dkim-milter/dkim_tag.h"

/* Reads up to `room` octets. Returns -1 with errno. */
static ssize_t read_file(const char *path, char *to, size_t room)
{
    int file = open(path, O_RDONLY | O_CLOEXEC);
    size_t len = 0;
    ssize_t got = 1;

    if (file < 0)
        return -1;
    while (len < room && got > 0) {
        got = read(file, to + len, room - len);
        if (got > 0)
            len += (size_t)got;
        else if (got < 0 && errno == EINTR)
            got = 1;
    }
    int error = errno;
    close(file);
    errno = error;
    return got < 0 ? -1 : (ssize_t)len;
}

struct dkim_private_key *tool_key_load(const char *path, struct am_problem *problem)
{
    char content[DKIM_KEY_FILE_MAX + 1];
    ssize_t len = read_file(path, content, sizeof(content));
    struct dkim_private_key *key = NULL;
    struct am_problem why;

    if (len < 0) {
        am_problem_set(problem, "%s: %s", path, strerror(errno));
        return NULL;
    }
    key = dkim_key_file_parse(am_span_of(content, (size_t)len), &why);
    dkim_wipe(content, sizeof(content));
    if (key == NULL)
        am_problem_set(problem, "%s: %s", path, why.text);
    return key;
}

static struct am_span value_of(const struct dkim_tag_list *list, const char *name)
{
    const struct dkim_tag *tag = dkim_tag_find(list, name);

    return tag == NULL ? am_span_of(NULL, 0) : tag->value;
}

static void drop_key(void *object)
{
    dkim_public_key_drop(object);
}

static bool read_record(struct tool_record *record, struct am_arena *arena)
{
    struct dkim_tag_list list;

    dkim_tag_list_parse(&list, record->text);
    record->hashes = value_of(&list, "h");
    record->services = value_of(&list, "s");
    record->notes = value_of(&list, "n");
    record->reason = dkim_key_record_parse(&record->parsed, arena, record->text);
    if (record->reason == DKIM_REASON_NONE)
        record->reason =
            dkim_public_key_new(&record->key, record->parsed.type, record->parsed.octets);
    if (record->key != NULL) {
        if (!am_arena_defer(arena, drop_key, record->key)) {
            dkim_public_key_drop(record->key);
            return false;
        }
        record->bits = dkim_public_key_bits(record->key);
        if (record->parsed.type == DKIM_KEY_RSA && record->bits < DKIM_RSA_BITS_MIN)
            record->reason = DKIM_REASON_KEY_SHORT;
    }
    return record->reason != DKIM_REASON_MEMORY;
}

bool tool_record_find(struct tool_record *record, struct am_arena *arena,
                      struct am_resolver *resolver, const char *domain, const char *selector,
                      int64_t deadline_us)
{
    *record = (struct tool_record){
        .name = am_arena_printf(arena, "%s._domainkey.%s", selector, domain),
    };
    if (record->name == NULL)
        return false;
    struct am_dns_query *query = am_dns_start(resolver, record->name, AM_DNS_TXT, deadline_us);
    const struct am_dns_answer *answer = am_dns_wait(query);
    const char *text = NULL;

    record->dns = answer->outcome;
    record->count = answer->count;
    record->secure = answer->secure;
    record->reason = dkim_key_answer_judge(answer);
    if (record->reason == DKIM_REASON_NONE) {
        text = am_arena_copy(arena, answer->records[0].text);
        record->text = am_span_of(text, answer->records[0].text.len);
    }
    am_dns_release(query);
    if (record->reason != DKIM_REASON_NONE)
        return true;
    return text != NULL && read_record(record, arena);
}

const char *tool_record_dns_text(const struct tool_record *record)
{
    switch (record->dns) {
    case AM_DNS_OK:
        return record->count == 1 ? "found" : "several TXT records";
    case AM_DNS_NODATA:
        return "the name has no TXT record";
    case AM_DNS_NXDOMAIN:
        return "there is no such name";
    case AM_DNS_TIMEOUT:
        return "no name server answered in time";
    case AM_DNS_BAD:
        return "an answer that cannot be used";
    default:
        return "every name server failed";
    }
}

const char *tool_record_security_text(const struct tool_record *record)
{
    return record->secure ? "DNSSEC-validated" : "not DNSSEC signed (fine)";
}
