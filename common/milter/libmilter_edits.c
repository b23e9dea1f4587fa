#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/milter/libmilter_transport.h"

/* libmilter takes texts as char * and changes none of them. */

static const char *get_macro(void *peer, const char *name)
{
    return smfi_getsymval(peer, (char *)name);
}

/* The arguments of smfi_setmlreply() end with a null pointer; spare places hold one too. */
static int set_lines(SMFICTX *ctx, char *code, char *xcode, char *l[AM_REPLY_LINES_MAX])
{
    return smfi_setmlreply(ctx, code, xcode, l[0], l[1], l[2], l[3], l[4], l[5], l[6], l[7], l[8],
                           l[9], l[10], l[11], l[12], l[13], l[14], l[15], l[16], l[17], l[18],
                           l[19], l[20], l[21], l[22], l[23], l[24], l[25], l[26], l[27], l[28],
                           l[29], l[30], l[31], NULL);
}

static bool set_reply(void *peer, const struct am_reply *reply)
{
    char *lines[AM_REPLY_LINES_MAX] = {NULL};
    char code[4];
    char *xcode = reply->xcode[0] == '\0' ? NULL : (char *)reply->xcode;

    snprintf(code, sizeof(code), "%03u", (unsigned)reply->code % 1000u);
    if (reply->line_count == 1)
        return smfi_setreply(peer, code, xcode, (char *)reply->lines[0]) == MI_SUCCESS;
    for (size_t i = 0; i < reply->line_count && i < AM_REPLY_LINES_MAX; i++)
        lines[i] = (char *)reply->lines[i];
    return set_lines(peer, code, xcode, lines) == MI_SUCCESS;
}

enum field_edit { FIELD_ADD, FIELD_INSERT, FIELD_CHANGE };

/*
 * The only place where a field's value goes to the MTA, and so the only one that knows whose
 * business the blank after the colon is: ours with SMFIP_HDR_LEADSPC, else the MTA's.
 */
static bool emit_field(SMFICTX *ctx, enum field_edit edit, unsigned index, const char *name,
                       const char *value)
{
    const struct am_session *session = smfi_getpriv(ctx);
    bool has_blank = *value == ' ' || *value == '\t' || *value == '\n';
    char *made = NULL;

    if (session->agreement.raw_headers && !has_blank && *value != '\0') {
        size_t len = strlen(value);
        made = malloc(len + 2);
        if (made == NULL)
            return false;
        made[0] = ' ';
        memcpy(made + 1, value, len + 1);
    } else if (!session->agreement.raw_headers && *value == ' ') {
        value++;
    }

    char *text = made != NULL ? made : (char *)value;
    int status = MI_FAILURE;
    if (edit == FIELD_ADD)
        status = smfi_addheader(ctx, (char *)name, text);
    else if (edit == FIELD_INSERT)
        status = smfi_insheader(ctx, (int)index, (char *)name, text);
    else
        status = smfi_chgheader(ctx, (char *)name, (int)index, text);
    free(made);
    return status == MI_SUCCESS;
}

static bool add_header(void *peer, const char *name, const char *value)
{
    return emit_field(peer, FIELD_ADD, 0, name, value);
}

static bool insert_header(void *peer, unsigned index, const char *name, const char *value)
{
    return emit_field(peer, FIELD_INSERT, index, name, value);
}

static bool change_header(void *peer, unsigned index, const char *name, const char *value)
{
    return emit_field(peer, FIELD_CHANGE, index, name, value == NULL ? "" : value);
}

static bool add_recipient(void *peer, const char *recipient, const char *params)
{
    if (params == NULL)
        return smfi_addrcpt(peer, (char *)recipient) == MI_SUCCESS;
    return smfi_addrcpt_par(peer, (char *)recipient, (char *)params) == MI_SUCCESS;
}

static bool delete_recipient(void *peer, const char *recipient)
{
    return smfi_delrcpt(peer, (char *)recipient) == MI_SUCCESS;
}

static bool change_sender(void *peer, const char *sender, const char *params)
{
    return smfi_chgfrom(peer, (char *)sender, (char *)params) == MI_SUCCESS;
}

static bool replace_body(void *peer, struct am_span chunk)
{
    return smfi_replacebody(peer, (unsigned char *)chunk.ptr, (int)chunk.len) == MI_SUCCESS;
}

static bool quarantine(void *peer, const char *reason)
{
    return smfi_quarantine(peer, (char *)reason) == MI_SUCCESS;
}

static bool progress(void *peer)
{
    return smfi_progress(peer) == MI_SUCCESS;
}

const struct am_peer_ops am_libmilter_peer = {
    .macro = get_macro,
    .set_reply = set_reply,
    .add_header = add_header,
    .insert_header = insert_header,
    .change_header = change_header,
    .add_recipient = add_recipient,
    .delete_recipient = delete_recipient,
    .change_sender = change_sender,
    .replace_body = replace_body,
    .quarantine = quarantine,
    .progress = progress,
};
