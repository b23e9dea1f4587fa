#include "authmilter/check_lists.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "authmilter/check_reach.h"

/* --- reading --- */

static bool is_loopback(const char *host)
{
    return strncmp(host, "127.", 4) == 0 || strcmp(host, "::1") == 0 ||
           strcasecmp(host, "localhost") == 0;
}

static bool is_socket(const struct am_listen_address *address, const struct check_meeting *meeting)
{
    const char *path = check_reach_path(meeting);

    if (address->kind == AM_LISTEN_UNIX)
        return path != NULL && (strcmp(path, address->path) == 0 ||
                                strcmp(meeting->milter->path, address->path) == 0);
    return meeting->milter->port != NULL &&
           strtoul(meeting->milter->port, NULL, 10) == address->port &&
           (address->host[0] == '\0' || strcasecmp(address->host, meeting->milter->host) == 0 ||
            (is_loopback(address->host) && is_loopback(meeting->milter->host)));
}

static const struct check_socket *find_socket(const struct check_program *program,
                                              const struct check_meeting *meeting)
{
    for (size_t i = 0; program->runtime != NULL && i < program->socket_count; i++)
        if (is_socket(&program->sockets[i].address, meeting))
            return &program->sockets[i];
    return NULL;
}

static void match(struct check_list *list, const struct check_postfix *postfix,
                  const struct check_programs *programs)
{
    for (size_t i = 0; i < list->milters.count; i++) {
        const struct check_meeting meeting = {
            .postfix = postfix, .milter = &list->milters.items[i], .chrooted = list->chrooted};

        for (size_t k = 0; k < programs->count && !meeting.milter->wrong; k++)
            if (list->ours[i] == NULL) {
                list->sockets[i] = find_socket(&programs->items[k], &meeting);
                list->ours[i] = list->sockets[i] == NULL ? NULL : &programs->items[k];
            }
    }
}

static bool read_list(struct check_list *list, const struct check_postfix *postfix,
                      const struct check_programs *programs)
{
    list->place = check_postfix_place(postfix, list->service, list->parameter);
    if (!check_milters_parse(&list->milters, postfix->arena,
                             check_postfix_value(postfix, list->service, list->parameter)))
        return false;
    match(list, postfix, programs);
    return true;
}

static bool cleanup_is_chrooted(const struct check_postfix *postfix)
{
    for (size_t i = 0; i < postfix->service_count; i++)
        if (strcmp(postfix->services[i].name, "cleanup/unix") == 0)
            return postfix->services[i].chrooted;
    return false;
}

bool check_lists_read(struct check_lists *lists, const struct check_postfix *postfix,
                      const struct check_programs *programs)
{
    lists->count = 0;
    lists->items =
        am_arena_alloc(postfix->arena, (postfix->service_count + 1) * sizeof(*lists->items));
    if (lists->items == NULL)
        return false;
    for (size_t i = 0; i < postfix->service_count; i++) {
        const struct check_service *service = &postfix->services[i];

        if (strcmp(service->command, "smtpd") != 0)
            continue;
        struct check_list *list = &lists->items[lists->count++];
        *list = (struct check_list){.service = service, .parameter = "smtpd_milters"};
        list->chrooted = service->chrooted;
        list->off = strstr(check_postfix_value(postfix, service, "receive_override_options"),
                           "no_milters") != NULL;
        if (!read_list(list, postfix, programs))
            return false;
    }
    struct check_list *last = &lists->items[lists->count++];
    *last = (struct check_list){.parameter = "non_smtpd_milters"};
    last->chrooted = cleanup_is_chrooted(postfix);
    return read_list(last, postfix, programs);
}

bool check_list_has(const struct check_list *list, const struct check_program *program)
{
    for (size_t i = 0; i < list->milters.count && !list->off; i++)
        if (list->ours[i] == program)
            return true;
    return false;
}

bool check_list_signs(const struct check_list *list, const struct check_program *program)
{
    for (size_t i = 0; i < list->milters.count && !list->off; i++)
        if (list->ours[i] == program && program->signs && list->sockets[i]->role != AM_ROLE_INBOUND)
            return true;
    return false;
}

/* --- each milter --- */

/* A path as the milter's configuration has it means another file inside of the chroot. */
static bool is_outside(const struct check_list *list, size_t index)
{
    const struct check_socket *socket = list->sockets[index];
    const char *path = list->milters.items[index].path;

    return path != NULL && list->chrooted && path[0] == '/' && socket != NULL &&
           socket->address.kind == AM_LISTEN_UNIX && strcmp(path, socket->address.path) == 0;
}

static void judge_outside(const struct check_list *list, size_t index,
                          const struct check_postfix *postfix, struct check_findings *findings)
{
    const char *queue = check_postfix_value(postfix, NULL, "queue_directory");
    const char *path = list->milters.items[index].path;
    size_t len = strlen(queue);

    check_found(findings, CHECK_MILTER_OUTSIDE_CHROOT, list->place,
                "%s is meant from the root of the machine, but the service sees only what is "
                "below %s",
                path, queue);
    if (strncmp(path, queue, len) == 0 && path[len] == '/')
        check_mend(findings, "write unix:%s", path + len + 1);
    else
        check_mend(findings,
                   "milter { socket = \"unix:%s/authmilter/%s.sock\" } in %s, and here "
                   "unix:authmilter/%s.sock",
                   queue, list->ours[index]->name, list->ours[index]->path,
                   list->ours[index]->name);
}

static void judge_milter(const struct check_list *list, size_t index,
                         const struct check_postfix *postfix, struct check_findings *findings)
{
    const struct check_milter *milter = &list->milters.items[index];
    const struct check_meeting meeting = {
        .postfix = postfix,
        .milter = milter,
        .chrooted = list->chrooted,
        .place = list->place,
        .program = list->ours[index] == NULL ? NULL : list->ours[index]->name,
    };

    if (milter->wrong) {
        check_found(findings, CHECK_MILTER_ADDRESS, list->place, "%s", milter->problem);
        check_mend(findings, "%s", milter->mend);
    } else if (is_outside(list, index)) {
        judge_outside(list, index, postfix, findings);
    } else {
        check_reach(&meeting, findings);
    }
}

/* --- their order --- */

static const char *id_of(const struct check_program *program, const struct check_postfix *postfix)
{
    const char *id = program->runtime->authres->authserv_id;

    return id[0] != '\0' ? id : check_postfix_value(postfix, NULL, "myhostname");
}

/* Does the milter at `later` remove what the one at `first` wrote? */
static void judge_pair(const struct check_list *list, size_t first, size_t later,
                       const struct check_postfix *postfix, struct check_findings *findings)
{
    const struct check_program *a = list->ours[first], *b = list->ours[later];

    if (a->writes && b->runtime->authres->scrub == AM_SCRUB_ALL &&
        strcasecmp(id_of(a, postfix), id_of(b, postfix)) == 0) {
        check_found(findings, CHECK_SCRUB_TWICE, list->place,
                    "%s comes behind %s with the same authserv-id %s and authres.scrub = all: it "
                    "removes the field that %s has written",
                    b->name, a->name, id_of(b, postfix), a->name);
        check_mend(findings, "authres { scrub = own } in %s", b->path);
    }
    if (a->has_dmarc && !a->has_source && b->has_source) {
        check_found(findings, CHECK_MILTER_ORDER, list->place,
                    "%s comes before %s, whose results it needs", a->name, b->name);
        check_mend(findings, "put %s behind %s", list->milters.items[first].text,
                   list->milters.items[later].text);
    }
}

static void judge_order(const struct check_list *list, const struct check_postfix *postfix,
                        struct check_findings *findings)
{
    const struct check_program *signer = NULL, *writer = NULL;
    bool scrubs = false;

    for (size_t i = 0; i < list->milters.count; i++) {
        if (list->ours[i] == NULL && signer != NULL) {
            check_found(findings, CHECK_MILTER_AFTER_SIGNING, list->place,
                        "%s comes behind %s, which signs: what it changes breaks the signature",
                        list->milters.items[i].text, signer->name);
            check_mend(findings, "put it in front, unless it changes neither header nor body");
        }
        if (list->ours[i] == NULL)
            continue;
        for (size_t k = 0; k < i; k++)
            if (list->ours[k] != NULL)
                judge_pair(list, k, i, postfix, findings);
        if (list->ours[i]->signs && list->sockets[i]->role != AM_ROLE_INBOUND)
            signer = list->ours[i];
        scrubs |= list->ours[i]->runtime->authres->scrub != AM_SCRUB_NONE;
        if (list->ours[i]->writes && writer == NULL)
            writer = list->ours[i];
    }
    if (writer != NULL && !scrubs) {
        check_found(findings, CHECK_SCRUB_NONE, list->place,
                    "authres.scrub is none in every milter: whoever sends mail can add results in "
                    "our name %s",
                    id_of(writer, postfix));
        check_mend(findings, "authres { scrub = all } in %s", writer->path);
    }
}

/* Many services share one list: it is judged once, for chrooted services and for others. */
static bool is_judged(const struct check_lists *lists, size_t index)
{
    const struct check_list *list = &lists->items[index];

    for (size_t i = 0; i < index; i++)
        if (strcmp(lists->items[i].place, list->place) == 0 &&
            lists->items[i].chrooted == list->chrooted && !lists->items[i].off)
            return true;
    return list->off;
}

void check_lists_judge(const struct check_lists *lists, const struct check_postfix *postfix,
                       struct check_findings *findings)
{
    for (size_t i = 0; i < lists->count; i++) {
        const struct check_list *list = &lists->items[i];

        if (is_judged(lists, i))
            continue;
        for (size_t k = 0; k < list->milters.count; k++)
            judge_milter(list, k, postfix, findings);
        if (list->service != NULL)
            judge_order(list, postfix, findings);
    }
}
