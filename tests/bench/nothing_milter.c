/*
 * A libmilter program that does nothing: what any milter pays for the events it takes.
 *
 *     nothing-milter SOCKET STEPS ACTIONS [insert | wait MILLISECONDS]
 *
 * STEPS and ACTIONS are what it asks for in negotiation (numbers, as load --terms prints them):
 * with those of another milter it takes the same events and answers the same ones. With
 * "insert" it adds one header field to each message, which is the least a result needs; with
 * "wait" it sleeps at the end of each message, as one does that waits for the DNS.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <libmilter/mfapi.h>

static unsigned long want_steps, want_actions;
static int want_insert;
static unsigned wait_ms;

static sfsistat on_negotiate(SMFICTX *ctx, unsigned long actions, unsigned long steps,
                             unsigned long in0, unsigned long in1, unsigned long *out_actions,
                             unsigned long *out_steps, unsigned long *out0, unsigned long *out1)
{
    (void)ctx;
    (void)in0;
    (void)in1;
    *out_actions = want_actions & actions;
    *out_steps = want_steps & steps;
    *out0 = *out1 = 0;
    return SMFIS_CONTINUE;
}

/* Answers only where the MTA waits. */
static sfsistat answer(unsigned long no_reply)
{
    return (want_steps & no_reply) != 0 ? SMFIS_NOREPLY : SMFIS_CONTINUE;
}

static sfsistat on_connect(SMFICTX *ctx, char *name, _SOCK_ADDR *address)
{
    (void)ctx;
    (void)name;
    (void)address;
    return answer(SMFIP_NR_CONN);
}

static sfsistat on_helo(SMFICTX *ctx, char *name)
{
    (void)ctx;
    (void)name;
    return answer(SMFIP_NR_HELO);
}

static sfsistat on_envfrom(SMFICTX *ctx, char **argv)
{
    (void)ctx;
    (void)argv;
    return answer(SMFIP_NR_MAIL);
}

static sfsistat on_envrcpt(SMFICTX *ctx, char **argv)
{
    (void)ctx;
    (void)argv;
    return answer(SMFIP_NR_RCPT);
}

static sfsistat on_data(SMFICTX *ctx)
{
    (void)ctx;
    return answer(SMFIP_NR_DATA);
}

static sfsistat on_header(SMFICTX *ctx, char *name, char *value)
{
    (void)ctx;
    (void)name;
    (void)value;
    return answer(SMFIP_NR_HDR);
}

static sfsistat on_eoh(SMFICTX *ctx)
{
    (void)ctx;
    return answer(SMFIP_NR_EOH);
}

static sfsistat on_body(SMFICTX *ctx, unsigned char *text, size_t len)
{
    (void)ctx;
    (void)text;
    (void)len;
    return answer(SMFIP_NR_BODY);
}

static sfsistat on_eom(SMFICTX *ctx)
{
    static char name[] = "X-Nothing", value[] = " done";
    struct timespec wait = {.tv_sec = wait_ms / 1000, .tv_nsec = (wait_ms % 1000) * 1000000L};
    if (wait_ms > 0)
        nanosleep(&wait, NULL);
    if (want_insert)
        smfi_insheader(ctx, 0, name, value);
    return SMFIS_CONTINUE;
}

static sfsistat on_end(SMFICTX *ctx)
{
    (void)ctx;
    return SMFIS_CONTINUE;
}

int main(int argc, char **argv)
{
    static char name[] = "nothing-milter";
    if (argc < 4)
        return 64;
    want_steps = strtoul(argv[2], NULL, 0);
    want_actions = strtoul(argv[3], NULL, 0);
    want_insert = argc > 4 && strcmp(argv[4], "insert") == 0;
    if (argc > 5 && strcmp(argv[4], "wait") == 0)
        wait_ms = (unsigned)strtoul(argv[5], NULL, 10);
    struct smfiDesc filter = {.xxfi_name = name,
                              .xxfi_version = SMFI_VERSION,
                              .xxfi_flags = want_actions,
                              .xxfi_connect = on_connect,
                              .xxfi_helo = on_helo,
                              .xxfi_envfrom = on_envfrom,
                              .xxfi_envrcpt = on_envrcpt,
                              .xxfi_header = on_header,
                              .xxfi_eoh = on_eoh,
                              .xxfi_body = on_body,
                              .xxfi_eom = on_eom,
                              .xxfi_abort = on_end,
                              .xxfi_close = on_end,
                              .xxfi_data = on_data,
                              .xxfi_negotiate = on_negotiate};
    if (smfi_setconn(argv[1]) != MI_SUCCESS || smfi_register(filter) != MI_SUCCESS)
        return 71;
    return smfi_main() == MI_SUCCESS ? 0 : 71;
}
