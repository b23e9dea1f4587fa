#include "authmilter/mta/session.h"

#include <stdlib.h>
#include <string.h>

/* The protocol's number of a stage in macro lists; 8 for steps without one. */
static unsigned list_of(enum mta_command stage)
{
    switch (stage) {
    case MTA_CMD_CONNECT:
        return 0;
    case MTA_CMD_HELO:
        return 1;
    case MTA_CMD_MAIL:
        return 2;
    case MTA_CMD_RCPT:
        return 3;
    case MTA_CMD_DATA:
        return 4;
    case MTA_CMD_EOM:
        return 5;
    case MTA_CMD_EOH:
        return 6;
    default:
        return 8;
    }
}

bool mta_session_keep_macro_list(struct mta_session *session, uint32_t stage, const char *names)
{
    if (stage > 6)
        return false;
    free(session->macro_lists[stage]);
    session->macro_lists[stage] = strdup(names);
    session->terms.macros[stage] = session->macro_lists[stage];
    return true;
}

void mta_set_macro(struct mta_session *session, enum mta_command stage, const char *name,
                   const char *value)
{
    size_t i = 0;
    while (i < session->macro_count &&
           (session->macros[i].stage != stage || strcmp(session->macros[i].name, name) != 0))
        i++;
    if (i == session->macro_count) {
        struct mta_macro *macros =
            reallocarray(session->macros, session->macro_count + 1, sizeof(*macros));
        if (macros == NULL)
            return;
        session->macros = macros;
        session->macros[session->macro_count++] = (struct mta_macro){stage, strdup(name), NULL};
    }
    free(session->macros[i].value);
    session->macros[i].value = value == NULL ? NULL : strdup(value);
}

/* Names in a list are separated by blanks or commas, with or without their braces. */
static bool listed(const char *list, const char *name)
{
    size_t len = strlen(name);
    if (list == NULL)
        return true;
    for (const char *at = list; (at = strstr(at, name)) != NULL; at += len) {
        bool starts = at == list || strchr(" ,\t", at[-1]) != NULL;
        if (starts && (at[len] == '\0' || strchr(" ,\t", at[len]) != NULL))
            return true;
    }
    return false;
}

void mta_session_put_macros(struct mta_session *session, enum mta_command stage)
{
    unsigned list = list_of(stage);
    const char *asked = list < 8 ? session->macro_lists[list] : NULL;
    struct am_buf content;
    am_buf_init(&content, 0);
    am_buf_add_char(&content, (char)stage);
    for (size_t i = 0; i < session->macro_count; i++) {
        const struct mta_macro *macro = &session->macros[i];
        if (macro->stage != stage || macro->value == NULL || !listed(asked, macro->name))
            continue;
        mta_put_string(&content, am_span_str(macro->name));
        mta_put_string(&content, am_span_str(macro->value));
    }
    if (content.len > 1)
        mta_put_packet(&session->out, MTA_CMD_MACRO, am_buf_span(&content));
    am_buf_fini(&content);
}

void mta_session_free_macros(struct mta_session *session)
{
    for (size_t i = 0; i < session->macro_count; i++) {
        free(session->macros[i].name);
        free(session->macros[i].value);
    }
    free(session->macros);
    for (size_t i = 0; i < 8; i++)
        free(session->macro_lists[i]);
}
