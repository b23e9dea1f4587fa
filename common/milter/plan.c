#include "common/milter/plan.h"

#include <string.h>

#include "common/milter/capture.h"
#include "common/milter/runtime_modules.h"

#define ALWAYS_WANTED (AM_STAGE_CONNECT | AM_STAGE_HELO | AM_STAGE_ENVFROM | AM_STAGE_EOM)

/* What the framework does on its own account. */
static void add_own_needs(struct am_plan *plan, const struct am_runtime *runtime)
{
    plan->wants |= ALWAYS_WANTED;
    plan->answers |= AM_STAGE_EOM;
    bool reports = am_runtime_reports(runtime);
    if (reports && runtime->authres->add_header)
        plan->actions |= AM_ACTION_ADD_HEADER;
    if (reports && runtime->authres->scrub != AM_SCRUB_NONE) {
        plan->wants |= AM_STAGE_HEADER;
        plan->actions |= AM_ACTION_CHANGE_HEADER;
    }
    const struct am_capture_options *capture =
        runtime->config == NULL ? NULL
                                : am_config_section(runtime->config, am_capture_section.name);
    if (capture != NULL && am_capture_is_on(capture))
        plan->wants |= AM_STAGE_ENVRCPT |
                       (capture->header == AM_CAPTURE_HEADER_NONE ? 0U : AM_STAGE_HEADER) |
                       (capture->body == AM_CAPTURE_BODY_NONE ? 0U : AM_STAGE_BODY);
    if (runtime->milter->on_failure == AM_FAILURE_QUARANTINE)
        plan->actions |= AM_ACTION_QUARANTINE;
}

struct am_plan am_plan_make(const struct am_runtime *runtime)
{
    struct am_plan plan = {0};

    for (size_t i = 0; i < runtime->module_count; i++) {
        const struct am_runtime_module *entry = &runtime->modules[i];
        /* A module that is switched off asks for nothing. */
        if (entry->wants == 0)
            continue;
        plan.wants |= entry->wants;
        plan.answers |= entry->answers & entry->wants;
        plan.actions |= entry->module->actions;
        plan.needs |= entry->module->needs;
    }
    /* Refused recipients are of use to nobody who does not look at recipients. */
    if ((plan.wants & AM_STAGE_ENVRCPT) == 0)
        plan.needs &= ~(unsigned)AM_NEEDS_REJECTED_RCPT;
    add_own_needs(&plan, runtime);
    if (runtime->milter->shadow) {
        plan.wants |= AM_STAGE_HEADER;
        plan.answers = AM_STAGE_EOM;
        plan.actions = 0;
    }
    return plan;
}

/*
 * libmilter drops an event that may not follow the last one it saw, and leaves the MTA without an
 * answer. It overlooks two ways that a message can take: an unknown command between two others,
 * when what follows it is not sent before the end of the message; and DATA with no header field
 * after it, when fields are sent and their end is not.
 */
static void add_passing_stages(struct am_agreement *agreement)
{
    if (agreement->sent & AM_STAGE_UNKNOWN)
        agreement->sent |= AM_STAGE_DATA;
    if ((agreement->sent & AM_STAGE_DATA) && (agreement->sent & AM_STAGE_HEADER))
        agreement->sent |= AM_STAGE_EOH;
}

struct am_agreement am_plan_negotiate(const struct am_plan *plan, const struct am_offer *offer)
{
    const unsigned all = (AM_STAGE_UNKNOWN << 1) - 1;
    struct am_agreement agreement = {0};

    agreement.sent = plan->wants | (all & ~offer->skippable);
    add_passing_stages(&agreement);
    agreement.answered = plan->answers | (all & ~offer->silent);
    agreement.actions = plan->actions & offer->actions;
    agreement.missing = plan->actions & ~offer->actions;
    /*
     * The blank after the colon is asked for even when no module needs it: so a value is sent
     * exactly as it shall stand in the message, whatever the MTA's own habit is.
     */
    agreement.raw_headers = offer->raw_headers;
    agreement.rejected_rcpt = (plan->needs & AM_NEEDS_REJECTED_RCPT) && offer->rejected_rcpt;
    agreement.skip_body = (plan->wants & AM_STAGE_BODY) && offer->skip_body;
    return agreement;
}

static bool listed(const struct am_buf *list, const char *name)
{
    size_t len = strlen(name);
    const char *text = am_buf_str(list);

    for (const char *at = strstr(text, name); at != NULL; at = strstr(at + 1, name)) {
        if ((at == text || at[-1] == ' ') && (at[len] == ' ' || at[len] == '\0'))
            return true;
    }
    return false;
}

static void add_macro(struct am_buf *out, const char *name)
{
    if (listed(out, name))
        return;
    if (out->len > 0)
        am_buf_add_char(out, ' ');
    am_buf_add_str(out, name);
}

static void add_own_macros(const struct am_runtime *runtime, const struct am_plan *plan,
                           enum am_stage stage, struct am_buf *out)
{
    switch (stage) {
    case AM_STAGE_CONNECT:
        if (*runtime->authres->authserv_id == '\0')
            add_macro(out, "j");
        add_macro(out, "{daemon_name}");
        break;
    case AM_STAGE_ENVFROM:
        add_macro(out, "i"); /* Sendmail knows it from here on, Postfix from DATA on */
        add_macro(out, "{auth_authen}");
        break;
    case AM_STAGE_ENVRCPT:
        if (plan->needs & AM_NEEDS_REJECTED_RCPT)
            add_macro(out, "{rcpt_mailer}");
        break;
    case AM_STAGE_DATA:
    case AM_STAGE_EOM:
        add_macro(out, "i");
        break;
    default:
        break;
    }
}

void am_plan_macros(const struct am_runtime *runtime, const struct am_plan *plan,
                    enum am_stage stage, struct am_buf *out)
{
    add_own_macros(runtime, plan, stage, out);
    for (size_t i = 0; i < runtime->module_count; i++) {
        const struct am_runtime_module *entry = &runtime->modules[i];
        const struct am_macro_need *need = entry->wants == 0 ? NULL : entry->module->macros;
        for (; need != NULL && need->name != NULL; need++) {
            if (need->stage == stage)
                add_macro(out, need->name);
        }
    }
}
