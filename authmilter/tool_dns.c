#include "authmilter/tool_dns.h"

#include "common/dns/dns_live.h"
#include "common/dns/dns_recorder.h"
#include "common/dns/dns_recording_json.h"
#include "common/dns/dns_replay.h"
#include "common/dns/dns_zone.h"

bool tool_dns_add_nameserver(struct tool_dns *dns, const char *text, struct am_problem *problem)
{
    if (dns->count == TOOL_DNS_SERVERS_MAX)
        return am_problem_set(problem, "more than %d name servers", TOOL_DNS_SERVERS_MAX);
    if (!am_dns_live_check_nameserver(text, problem))
        return false;
    dns->nameservers[dns->count++] = text;
    return true;
}

bool tool_dns_check(const struct tool_dns *dns, struct am_problem *problem)
{
    int ways = (dns->zone != NULL) + (dns->recorded != NULL) + (dns->count > 0);

    return ways <= 1 ||
           am_problem_set(problem, dns->recorded == NULL
                                       ? "--zone and --nameserver exclude each other"
                                       : "--zone, --dns and --nameserver exclude each other");
}

/* Returns a resolver that answers from a file and owns what it read of it. */
static struct am_resolver *open_recorded(struct tool_dns *dns, struct am_problem *problem)
{
    struct am_arena *arena = am_arena_new(65536, 0);
    struct am_dns_recording *recording =
        arena == NULL ? NULL : am_arena_alloc(arena, sizeof(*recording));
    struct am_resolver *replay = NULL;

    if (recording == NULL) {
        am_problem_set(problem, "out of memory");
    } else {
        am_dns_recording_init(recording, arena);
        if (am_dns_recording_load(recording, dns->recorded, &dns->time_s, problem) &&
            (replay = am_dns_replay_new(recording, NULL)) == NULL)
            am_problem_set(problem, "out of memory");
    }
    if (replay == NULL)
        am_arena_free(arena);
    else
        am_dns_replay_own(replay, arena);
    return replay;
}

struct am_resolver *tool_dns_open(struct tool_dns *dns, struct am_problem *problem)
{
    if (dns->recorded != NULL)
        return open_recorded(dns, problem);
    if (dns->zone != NULL)
        return am_dns_zone_load(dns->zone, problem);
    const struct am_dns_live_options live = {
        .nameservers = dns->nameservers,
        .nameserver_count = dns->count,
        .timeout_ms = 2000,
        .attempts = 3,
        .cache_entries = 1000,
        .clock = am_clock_system(),
    };
    return am_dns_live_new(&live, problem);
}

struct am_resolver *tool_record_dns_begin(struct tool_record_dns *record, struct am_resolver *inner)
{
    record->inner = inner;
    if (record->path == NULL)
        return inner;
    record->arena = am_arena_new(65536, 0);
    if (record->arena != NULL) {
        am_dns_recording_init(&record->recording, record->arena);
        record->outer = am_dns_recorder_new(inner, &record->recording);
    }
    if (record->outer == NULL) {
        am_arena_free(record->arena);
        am_resolver_free(inner);
        *record = (struct tool_record_dns){.path = record->path};
    }
    return record->outer;
}

bool tool_record_dns_end(struct tool_record_dns *record, int64_t now_s, struct am_problem *problem)
{
    bool good = record->path == NULL || record->outer == NULL ||
                am_dns_recording_save(&record->recording, now_s, record->path, problem);

    am_resolver_free(record->outer);
    am_resolver_free(record->inner);
    am_arena_free(record->arena);
    *record = (struct tool_record_dns){.path = record->path};
    return good;
}
