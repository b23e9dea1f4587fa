#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "authmilter/check_lists.h"

/* All that one judgement looks at. */
struct use {
    const struct check_lists *lists;
    const struct check_postfix *postfix;
    const struct check_program *program;
    struct check_findings *findings;
};

static const char *value(const struct use *use, const char *name)
{
    return check_postfix_value(use->postfix, NULL, name);
}

/* The socket to be asked for mail that is signed. */
static const struct check_socket *signing_socket(const struct use *use)
{
    for (size_t i = 0; i < use->program->socket_count; i++)
        if (use->program->sockets[i].role != AM_ROLE_INBOUND)
            return &use->program->sockets[i];
    return &use->program->sockets[0];
}

/* The address that Postfix would have for a socket. */
static const char *address_for(const struct use *use, const struct check_socket *socket)
{
    const struct am_listen_address *address = &socket->address;
    const char *queue = value(use, "queue_directory");
    size_t len = strlen(queue);
    const char *text;

    if (address->kind != AM_LISTEN_UNIX)
        text = am_arena_printf(use->postfix->arena, "inet:%s:%u",
                               address->host[0] == '\0' ? "127.0.0.1" : address->host,
                               (unsigned)address->port);
    else if (strncmp(address->path, queue, len) == 0 && address->path[len] == '/')
        text = am_arena_printf(use->postfix->arena, "unix:%s", address->path + len + 1);
    else
        text = am_arena_printf(use->postfix->arena, "unix:%s", address->path);
    return text == NULL ? "" : text;
}

/* The command that adds a socket to a list. */
static const char *extended(const struct use *use, const struct check_service *service,
                            const char *parameter, const struct check_socket *socket)
{
    const char *former = check_postfix_value(use->postfix, service, parameter);
    const char *text = am_arena_printf(use->postfix->arena, "%s%s%s", former,
                                       *former == '\0' ? "" : " ", address_for(use, socket));

    return check_postfix_edit(use->postfix, service, parameter, text == NULL ? "" : text);
}

static bool is_used(const struct use *use, const struct check_socket *socket)
{
    for (size_t i = 0; i < use->lists->count; i++)
        for (size_t k = 0; k < use->lists->items[i].milters.count; k++)
            if (use->lists->items[i].sockets[k] == socket && !use->lists->items[i].off)
                return true;
    return false;
}

/* Says which sockets nobody asks. Returns how many are asked. */
static size_t judge_sockets(const struct use *use, bool certain)
{
    size_t used = 0;

    for (size_t i = 0; i < use->program->socket_count; i++) {
        const struct check_socket *socket = &use->program->sockets[i];

        if (is_used(use, socket)) {
            used++;
        } else if (certain) {
            check_found(use->findings, CHECK_MILTER_UNUSED, use->program->path,
                        "Postfix does not ask %s on %s", use->program->name, socket->text);
            check_mend(use->findings, "%s", extended(use, NULL, "smtpd_milters", socket));
        }
    }
    return used;
}

static bool is_submission(const struct check_service *service)
{
    static const char *const names[] = {"submission/inet", "submissions/inet", "smtps/inet",
                                        "587/inet", "465/inet"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        size_t len = strlen(service->name), tail = strlen(names[i]);
        if (strcmp(service->name, names[i]) == 0 ||
            (len > tail && strcmp(service->name + len - tail, names[i]) == 0 &&
             service->name[len - tail - 1] == ':'))
            return true;
    }
    return false;
}

/* Whether some address cannot be read: it may be meant for a program that seems to be unused. */
static bool has_wrong(const struct use *use)
{
    for (size_t i = 0; i < use->lists->count; i++)
        for (size_t k = 0; k < use->lists->items[i].milters.count; k++)
            if (use->lists->items[i].milters.items[k].wrong)
                return true;
    return false;
}

/* --- mail that is not signed --- */

static void judge_signing(const struct use *use)
{
    const struct check_list *local = &use->lists->items[use->lists->count - 1];
    const char *classes = value(use, "internal_mail_filter_classes");

    if (use->program->dkim->sign_local && !check_list_signs(local, use->program)) {
        check_found(use->findings, CHECK_NON_SMTPD_MISSING, "main.cf: non_smtpd_milters",
                    "%s is not asked about mail that is submitted on this machine: it goes out "
                    "unsigned",
                    use->program->name);
        check_mend(use->findings, "%s",
                   extended(use, NULL, "non_smtpd_milters", signing_socket(use)));
    }
    if (strstr(classes, "bounce") == NULL) {
        check_found(use->findings, CHECK_BOUNCE_CLASS, "main.cf: internal_mail_filter_classes",
                    "bounces of this machine are not signed");
        check_mend(
            use->findings, "%s",
            check_postfix_edit(use->postfix, NULL, "internal_mail_filter_classes", "bounce"));
    }
    for (size_t i = 0; i + 1 < use->lists->count; i++) {
        const struct check_list *list = &use->lists->items[i];

        if (!is_submission(list->service) || check_list_signs(list, use->program))
            continue;
        check_found(use->findings, CHECK_SERVICE_UNSIGNED, list->place,
                    "the service %s does not ask %s: its mail goes out unsigned",
                    list->service->name, use->program->name);
        check_mend(use->findings, "%s",
                   extended(use, list->service, "smtpd_milters", signing_socket(use)));
    }
}

/* A socket for mail of our own users, asked about mail of others. */
static void judge_roles(const struct use *use)
{
    for (size_t i = 0; i + 1 < use->lists->count; i++) {
        const struct check_list *list = &use->lists->items[i];

        for (size_t k = 0; k < list->milters.count && !list->off; k++) {
            if (list->ours[k] != use->program || list->sockets[k]->role != AM_ROLE_SUBMISSION ||
                (strcmp(list->service->name, "smtp/inet") != 0 &&
                 strcmp(list->service->name, "smtpd/pass") != 0))
                continue;
            check_found(use->findings, CHECK_SERVICE_UNCHECKED, list->place,
                        "the service %s asks %s on a socket with role = submission: mail of "
                        "others is not checked",
                        list->service->name, use->program->name);
            check_mend(use->findings, "name a socket with role = inbound, or auto, here");
        }
    }
}

static bool has_daemon(const struct use *use, const char *name)
{
    for (size_t i = 0; i + 1 < use->lists->count; i++)
        if (strcmp(check_postfix_value(use->postfix, use->lists->items[i].service,
                                       "milter_macro_daemon_name"),
                   name) == 0)
            return true;
    return false;
}

static void judge_daemons(const struct use *use)
{
    const struct am_strlist *names = &use->program->dkim->sign_daemons;

    for (size_t i = 0; i < names->count; i++) {
        if (has_daemon(use, names->items[i]))
            continue;
        check_found(use->findings, CHECK_DAEMON_NAME, use->program->path,
                    "dkim.sign_daemons names %s, but no service of Postfix has that "
                    "milter_macro_daemon_name",
                    names->items[i]);
        check_mend(use->findings, "postconf -P 'submission/inet/milter_macro_daemon_name = %s'",
                   names->items[i]);
    }
}

/* --- mail that comes twice --- */

static bool has_filter(const struct use *use)
{
    static const char *const names[] = {"content_filter", "smtpd_proxy_filter"};

    for (size_t k = 0; k < 2; k++) {
        if (value(use, names[k])[0] != '\0')
            return true;
        for (size_t i = 0; i + 1 < use->lists->count; i++)
            if (check_postfix_value(use->postfix, use->lists->items[i].service, names[k])[0] !=
                '\0')
                return true;
    }
    return false;
}

/* A listener on loopback that takes mail back from a content filter. */
static bool is_reinjection(const struct use *use, const struct check_service *service)
{
    const char *name = service->name;
    bool loopback = strncmp(name, "127.", 4) == 0 || strncmp(name, "localhost:", 10) == 0 ||
                    strncmp(name, "[::1]:", 6) == 0 || strncmp(name, "::1:", 4) == 0;

    return loopback &&
           (has_filter(use) || check_postfix_overrides(use->postfix, service, "content_filter"));
}

static bool is_asked_elsewhere(const struct use *use)
{
    for (size_t i = 0; i + 1 < use->lists->count; i++)
        if (!is_reinjection(use, use->lists->items[i].service) &&
            check_list_has(&use->lists->items[i], use->program))
            return true;
    return false;
}

static void judge_filters(const struct use *use)
{
    bool elsewhere = is_asked_elsewhere(use), told = false;

    for (size_t i = 0; i + 1 < use->lists->count; i++) {
        const struct check_list *list = &use->lists->items[i];
        const struct check_service *service = list->service;

        if (!check_list_has(list, use->program))
            continue;
        if (is_reinjection(use, service) && elsewhere) {
            check_found(use->findings, CHECK_REINJECT_TWICE, service->name,
                        "mail that comes back from the content filter is shown to %s again: it is "
                        "checked against the filter's address%s",
                        use->program->name,
                        check_list_signs(list, use->program) ? ", or signed a second time" : "");
            check_mend(use->findings, "%s",
                       check_postfix_edit(use->postfix, service, "smtpd_milters", ""));
        } else if (check_list_signs(list, use->program) && !told &&
                   check_postfix_value(use->postfix, service, "content_filter")[0] != '\0') {
            told = true;
            check_found(use->findings, CHECK_FILTER_AFTER_SIGNING, service->name,
                        "the content filter %s gets mail after %s has signed it: what it changes "
                        "breaks the signature",
                        check_postfix_value(use->postfix, service, "content_filter"),
                        use->program->name);
            check_mend(use->findings,
                       "sign where the mail comes back, unless the filter changes nothing");
        }
    }
}

/* --- a program --- */

/* "30s", "5m": Postfix' times; a number alone has the parameter's own unit, which is seconds. */
static int64_t read_time_ms(const char *text)
{
    char *end;
    int64_t number = strtol(text, &end, 10);

    switch (*end) {
    case 'm':
        return number * 60000;
    case 'h':
        return number * 3600000;
    case 'd':
        return number * 86400000;
    case 'w':
        return number * 7 * 86400000;
    default:
        return number * 1000;
    }
}

static void judge_time(const struct use *use, const char *parameter, const char *option,
                       int64_t budget_ms)
{
    const char *text = value(use, parameter);
    const char *place = check_postfix_place(use->postfix, NULL, parameter);

    if (*text == '\0' || read_time_ms(text) > budget_ms ||
        check_is_found(use->findings, CHECK_MILTER_TIMEOUT, place))
        return;
    check_found(use->findings, CHECK_MILTER_TIMEOUT, place,
                "Postfix waits %s, but %s may take %lld ms (milter.%s): it is given up before it "
                "has decided",
                text, use->program->name, (long long)budget_ms, option);
    const char *seconds =
        am_arena_printf(use->postfix->arena, "%llds", (long long)(budget_ms / 1000 + 10));
    check_mend(use->findings, "%s",
               check_postfix_edit(use->postfix, NULL, parameter, seconds == NULL ? "" : seconds));
}

static void judge_program(const struct use *use)
{
    const struct am_milter_options *milter = use->program->runtime->milter;
    const char *id = use->program->runtime->authres->authserv_id;

    if (judge_sockets(use, !has_wrong(use)) == 0)
        return;
    judge_roles(use);
    if (use->program->signs) {
        judge_signing(use);
        judge_daemons(use);
    }
    judge_filters(use);
    judge_time(use, "milter_command_timeout", "envelope_budget", milter->envelope_budget_ms);
    judge_time(use, "milter_content_timeout", "message_budget", milter->message_budget_ms);
    if (id[0] != '\0' && strcasecmp(id, value(use, "myhostname")) != 0) {
        check_found(use->findings, CHECK_AUTHSERV_ID_HOST, use->program->path,
                    "the authserv-id %s is not Postfix' myhostname %s: readers must trust it by "
                    "name",
                    id, value(use, "myhostname"));
        check_mend(use->findings,
                   "nothing, if %s is the name of several machines; else leave "
                   "authres.authserv_id out",
                   id);
    }
}

/* --- Postfix for all programs --- */

static void judge_action(const struct use *use, const char *place, const char *action)
{
    bool refuses = strcmp(action, "reject") == 0;
    const char *what = strcmp(action, "accept") == 0 ? "goes through unchecked and unsigned"
                       : strcmp(action, "tempfail") == 0
                           ? "is put off: senders try again, and nothing is lost"
                       : refuses                           ? "is refused for good"
                       : strcmp(action, "quarantine") == 0 ? "goes into the hold queue"
                       : strcmp(action, "shutdown") == 0   ? "is put off, and the client cut off"
                                                           : "meets an action unknown here";

    check_found(use->findings, refuses ? CHECK_MILTER_DEFAULT_REFUSES : CHECK_MILTER_DEFAULT_ACTION,
                place, "%s: when a milter is down, mail %s", action, what);
    if (refuses)
        check_mend(use->findings, "%s",
                   check_postfix_edit(use->postfix, NULL, "milter_default_action", "tempfail"));
}

static void judge_postfix(const struct use *use)
{
    const char *protocol = value(use, "milter_protocol"), *maps = value(use, "smtpd_milter_maps");

    if (strtol(protocol, NULL, 10) < 6) {
        check_found(use->findings, CHECK_MILTER_PROTOCOL, "main.cf: milter_protocol",
                    "%s: without version 6 the milters get too little of a mail to check it",
                    protocol);
        check_mend(use->findings, "%s",
                   check_postfix_edit(use->postfix, NULL, "milter_protocol", "6"));
    }
    if (*maps != '\0') {
        check_found(use->findings, CHECK_MILTER_MAPS, "main.cf: smtpd_milter_maps",
                    "%s may name other milters for some clients; that was not judged", maps);
        check_mend(use->findings, "look into the map");
    }
    judge_action(use, "main.cf: milter_default_action", value(use, "milter_default_action"));
    for (size_t i = 0; i < use->lists->count; i++) {
        const struct check_list *list = &use->lists->items[i];

        for (size_t k = 0; k < list->milters.count; k++)
            if (list->milters.items[k].default_action != NULL &&
                !check_is_found(use->findings, CHECK_MILTER_DEFAULT_REFUSES, list->place))
                judge_action(use, list->place, list->milters.items[k].default_action);
    }
}

void check_lists_judge_use(const struct check_lists *lists, const struct check_postfix *postfix,
                           const struct check_programs *programs, struct check_findings *findings)
{
    struct use use = {.lists = lists, .postfix = postfix, .findings = findings};

    judge_postfix(&use);
    for (size_t i = 0; i < programs->count; i++)
        if (programs->items[i].runtime != NULL) {
            use.program = &programs->items[i];
            judge_program(&use);
        }
}
