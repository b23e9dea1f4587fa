#include <stdio.h>
#include <string.h>

#include "common/dns/dns_zone.h"
#include "dkim-milter/dkim_verify.h"
#include "tests/scenarios/play.h"

/* What a verifier says that gets the message as it left the MTA. */

static const struct dkim_report *verify(const struct mta_message *message,
                                        const struct dkim_verify_env *env)
{
    struct dkim_fields *fields = am_arena_alloc(env->arena, sizeof(*fields));
    if (fields == NULL)
        return NULL;
    dkim_fields_init(fields, env->arena, false);
    for (size_t i = 0; i < message->headers.count; i++) {
        const struct mta_header *header = &message->headers.items[i];
        if (dkim_fields_add(fields, am_span_str(header->name), am_span_str(header->value)) == NULL)
            return NULL;
    }
    struct dkim_verifier *verifier =
        dkim_fields_prepare(fields) ? dkim_engine_builtin.start(env, fields) : NULL;
    if (verifier == NULL)
        return NULL;
    dkim_engine_builtin.body(verifier, am_buf_span(&message->body));
    return dkim_engine_builtin.finish(verifier);
}

static void judge(struct play *play, const struct mta_script_line *line,
                  const struct dkim_report *report, const char *text)
{
    char wanted[300], found[300];
    snprintf(wanted, sizeof(wanted), "%s%s", text, strchr(text, ' ') == NULL ? " pass" : "");
    for (size_t i = 0; i < report->count; i++) {
        const struct dkim_outcome *outcome = &report->outcomes[i];
        snprintf(found, sizeof(found), "%s/%s %s", outcome->parts->ascii_domain,
                 outcome->parts->ascii_selector, dkim_result_word(outcome->result));
        if (strcmp(wanted, found) == 0)
            return;
        printf("  found: %s (%s)\n", found, dkim_reason_word(outcome->reason));
    }
    play_fail(play, line, "expected the signature %s, found none like it", wanted);
}

void play_expect_signed(struct play *play, const struct mta_script_line *line, const char *text)
{
    struct am_problem problem = {""};
    char path[160];
    snprintf(path, sizeof(path), "%s/zone", play->daemon.dir);
    struct am_arena *arena = am_arena_new(65536, 0);
    struct am_resolver *resolver = am_dns_zone_load(path, &problem);
    const struct dkim_report *report = NULL;
    if (arena != NULL && resolver != NULL) {
        const struct dkim_verify_env env = {.arena = arena,
                                            .resolver = resolver,
                                            .clock = am_clock_system(),
                                            .limits = &dkim_limits_default,
                                            .lookup_deadline_us = AM_NEVER};
        report = verify(mta_message(play->player.session), &env);
    }
    if (report == NULL)
        play_fail(play, line, "the message cannot be verified: %s", problem.text);
    else
        judge(play, line, report, text);
    am_arena_free(arena);
    am_resolver_free(resolver);
}
