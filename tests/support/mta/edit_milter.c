/*
 * A libmilter program that makes every kind of edit, so that the test of the
 * MTA side has a real counterpart. Usage: edit-milter SOCKET [no-leading-space]
 */
#include <string.h>

#include <libmilter/mfapi.h>

static int want_leading_space = 1;

static sfsistat on_negotiate(SMFICTX *ctx, unsigned long actions, unsigned long steps,
                             unsigned long unused0, unsigned long unused1,
                             unsigned long *out_actions, unsigned long *out_steps,
                             unsigned long *out0, unsigned long *out1)
{
    (void)unused0;
    (void)unused1;
    *out_actions = actions;
    *out_steps = steps & (SMFIP_NR_HDR | SMFIP_NODATA);
    if (want_leading_space)
        *out_steps |= steps & SMFIP_HDR_LEADSPC;
    *out0 = *out1 = 0;
    smfi_setsymlist(ctx, SMFIM_ENVFROM, (char[]){"i {auth_authen}"});
    return SMFIS_CONTINUE;
}

static sfsistat on_envfrom(SMFICTX *ctx, char **argv)
{
    if (strcmp(argv[0], "<reject@example.com>") == 0) {
        smfi_setreply(ctx, (char[]){"550"}, (char[]){"5.7.23"}, (char[]){"100%% refused"});
        return SMFIS_REJECT;
    }
    return strcmp(argv[0], "<temp@example.com>") == 0 ? SMFIS_TEMPFAIL : SMFIS_CONTINUE;
}

static sfsistat on_envrcpt(SMFICTX *ctx, char **argv)
{
    (void)ctx;
    return strcmp(argv[0], "<nobody@example.com>") == 0 ? SMFIS_REJECT : SMFIS_CONTINUE;
}

static sfsistat on_header(SMFICTX *ctx, char *name, char *value)
{
    (void)ctx;
    (void)name;
    (void)value;
    return SMFIS_NOREPLY;
}

static sfsistat on_body(SMFICTX *ctx, unsigned char *text, size_t len)
{
    (void)ctx;
    (void)text;
    (void)len;
    return SMFIS_SKIP;
}

static sfsistat on_eom(SMFICTX *ctx)
{
    const char *user = smfi_getsymval(ctx, (char[]){"{auth_authen}"});
    smfi_progress(ctx);
    smfi_insheader(ctx, 0, (char[]){"X-Top"}, (char[]){" top"});
    smfi_addheader(ctx, (char[]){"X-Bottom"}, user == NULL ? (char[]){" none"} : (char[]){" user"});
    smfi_chgheader(ctx, (char[]){"X-Old"}, 2, NULL);
    smfi_chgheader(ctx, (char[]){"X-Old"}, 1, (char[]){" changed"});
    smfi_chgheader(ctx, (char[]){"X-New"}, 1, (char[]){" appended"});
    smfi_addrcpt(ctx, (char[]){"<added@example.com>"});
    smfi_delrcpt(ctx, (char[]){"<first@example.com>"});
    smfi_chgfrom(ctx, (char[]){"<changed@example.com>"}, NULL);
    smfi_quarantine(ctx, (char[]){"held"});
    smfi_replacebody(ctx, (unsigned char[]){"new\r\n"}, 5);
    return SMFIS_ACCEPT;
}

int main(int argc, char **argv)
{
    struct smfiDesc filter = {.xxfi_name = (char[]){"edit-milter"},
                              .xxfi_version = SMFI_VERSION,
                              .xxfi_flags = SMFIF_ADDHDRS | SMFIF_CHGHDRS | SMFIF_CHGBODY |
                                            SMFIF_ADDRCPT | SMFIF_DELRCPT | SMFIF_CHGFROM |
                                            SMFIF_QUARANTINE | SMFIF_SETSYMLIST,
                              .xxfi_envfrom = on_envfrom,
                              .xxfi_envrcpt = on_envrcpt,
                              .xxfi_header = on_header,
                              .xxfi_body = on_body,
                              .xxfi_eom = on_eom,
                              .xxfi_negotiate = on_negotiate};
    if (argc < 2 || smfi_setconn(argv[1]) != MI_SUCCESS || smfi_register(filter) != MI_SUCCESS)
        return 64;
    want_leading_space = argc < 3;
    return smfi_main() == MI_SUCCESS ? 0 : 71;
}
