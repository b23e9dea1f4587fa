#include <string.h>
#include <strings.h>

#include "authmilter/migrate_set.h"

/* What becomes of each option of policyd-spf.conf(5), of the policy server and of the milter. */

static void set(struct migrate *migrate, const char *name, const char *value)
{
    migrate_set(&migrate->output, migrate->arena, "spf", name, value);
}

static void translated(struct migrate *migrate, const struct migrate_line *line, const char *text)
{
    migrate_say(migrate, MIGRATE_TRANSLATED, line, "%s", text);
}

static bool is_true(const char *value)
{
    return strcasecmp(value, "true") == 0 || strcasecmp(value, "yes") == 0 ||
           strcmp(value, "1") == 0;
}

/* Sets what an identity's results lead to, from the words that both options share. */
static void set_reject(struct migrate *migrate, const char *identity, const char *word)
{
    static const char *const results[] = {"fail", "softfail", "neutral", "permerror"};
    size_t count = strcasecmp(word, "SPF_Not_Pass") == 0 ? 4
                   : strcasecmp(word, "Softfail") == 0   ? 2
                   : strcasecmp(word, "Fail") == 0       ? 1
                                                         : 0;

    for (size_t i = 0; i < count; i++)
        set(migrate, am_arena_printf(migrate->arena, "%s_%s", identity, results[i]), "reject");
}

static void take_reject(struct migrate *migrate, const struct migrate_line *line)
{
    bool is_helo = strcasecmp(line->name, "HELO_reject") == 0;
    const char *identity = is_helo ? "helo" : "mailfrom";

    if (strcasecmp(line->value, "No_Check") == 0)
        set(migrate, is_helo ? "check_helo" : "check_mailfrom", "no");
    else if (strcasecmp(line->value, "Null") == 0)
        migrate_say(migrate, MIGRATE_NONE, line,
                    "a fail of HELO is not told apart by the null sender; it is not refused");
    else
        set_reject(migrate, identity, line->value);
    translated(migrate, line, is_helo ? "spf.helo_*, spf.check_helo" : "spf.mailfrom_*");
}

static void take_permerror(struct migrate *migrate, const struct migrate_line *line)
{
    if (is_true(line->value)) {
        set(migrate, "mailfrom_permerror", "reject");
        set(migrate, "helo_permerror", "reject");
    }
    translated(migrate, line, "spf.mailfrom_permerror, spf.helo_permerror");
}

static void take_temperror(struct migrate *migrate, const struct migrate_line *line)
{
    if (is_true(line->value)) {
        set(migrate, "mailfrom_temperror", "tempfail");
        set(migrate, "helo_temperror", "tempfail");
    }
    translated(migrate, line, "spf.mailfrom_temperror, spf.helo_temperror");
}

static void take_test_only(struct migrate *migrate, const struct migrate_line *line)
{
    if (strcmp(line->value, "0") == 0)
        migrate_set(&migrate->output, migrate->arena, "milter", "observe", "yes");
    translated(migrate, line, "milter.observe");
}

static void take_networks(struct migrate *migrate, const struct migrate_line *line)
{
    (void)migrate_networks(migrate, line, "spf", "exempt_networks");
    translated(migrate, line, "spf.exempt_networks; this machine: spf.exempt_local");
}

static void add_names(struct migrate *migrate, const struct migrate_line *line, const char *option,
                      const char *prefix)
{
    struct migrate_set_rows rows;

    if (!migrate_set_read(migrate, line, &rows))
        return;
    for (size_t i = 0; i < rows.count; i++) {
        const char *name = am_arena_printf(migrate->arena, "%s%s", prefix, rows.rows[i].key);
        if (name != NULL)
            migrate_add_item(&migrate->output, migrate->arena, "spf", option, name);
    }
}

static void take_ptr(struct migrate *migrate, const struct migrate_line *line)
{
    add_names(migrate, line, "exempt_ptr", ".");
    translated(migrate, line, "spf.exempt_ptr");
}

static void take_not_pass(struct migrate *migrate, const struct migrate_line *line)
{
    static const char *const section = "override \"Reject_Not_Pass_Domains\"";
    struct migrate_set_rows rows;

    if (!migrate_set_read(migrate, line, &rows) || rows.count == 0)
        return;
    for (size_t i = 0; i < rows.count; i++)
        migrate_add_item(&migrate->output, migrate->arena, section, "sender", rows.rows[i].key);
    migrate_set(&migrate->output, migrate->arena, section, "mailfrom_neutral", "reject");
    migrate_set(&migrate->output, migrate->arena, section, "mailfrom_softfail", "reject");
    translated(migrate, line, "a section override");
}

static void take_header(struct migrate *migrate, const struct migrate_line *line)
{
    if (strcasecmp(line->value, "None") == 0)
        migrate_set(&migrate->output, migrate->arena, "authres", "add_header", "no");
    else if (strcasecmp(line->value, "SPF") == 0)
        set(migrate, "received_spf", "yes");
    translated(migrate, line, "spf.received_spf; Authentication-Results: authres.add_header");
}

static void take_number(struct migrate *migrate, const struct migrate_line *line)
{
    bool is_time = strcasecmp(line->name, "Lookup_Time") == 0;
    long value;

    if (!migrate_number(migrate, line, 1, is_time ? 20 : 50, &value))
        return;
    set(migrate, is_time ? "time_limit" : "max_voids",
        am_arena_printf(migrate->arena, "%ld%s", value, is_time ? "s" : ""));
    translated(migrate, line, is_time ? "spf.time_limit" : "spf.max_voids");
}

#define TAKE(NAME, FUNCTION)                                                                       \
    {                                                                                              \
        .name = (NAME), .take = (FUNCTION)                                                         \
    }
#define ROW(NAME, KIND, SAYS)                                                                      \
    {                                                                                              \
        .name = (NAME), .kind = (KIND), .says = (SAYS)                                             \
    }
#define NONE(NAME, SAYS) ROW(NAME, MIGRATE_NONE, SAYS)

const struct migrate_option migrate_spf_options[] = {
    ROW("debugLevel", MIGRATE_SAME, "every message has its line (milter.log_level)"),
    TAKE("TestOnly", take_test_only),
    TAKE("defaultSeedOnly", take_test_only),
    TAKE("HELO_reject", take_reject),
    NONE("HELO_pass_restriction", "restrictions of Postfix are for its own tables"),
    TAKE("Mail_From_reject", take_reject),
    NONE("Mail_From_pass_restriction", "restrictions of Postfix are for its own tables"),
    NONE("No_Mail", "v=spf1 -all is refused like any fail"),
    TAKE("Reject_Not_Pass_Domains", take_not_pass),
    TAKE("PermError_reject", take_permerror),
    TAKE("TempError_Defer", take_temperror),
    NONE("Prospective", "outgoing mail: authmilter spf"),
    TAKE("skip_addresses", take_networks),
    TAKE("Whitelist", take_networks),
    NONE("HELO_Whitelist",
         "a HELO name that leads to the client's address; by network: spf.exempt_networks"),
    NONE("Domain_Whitelist", "by network or PTR name: spf.exempt_networks, spf.exempt_ptr"),
    TAKE("Domain_Whitelist_PTR", take_ptr),
    ROW("SPF_Enhanced_Status_Codes", MIGRATE_SAME, "always those of RFC 7372"),
    TAKE("Header_Type", take_header),
    ROW("Hide_Receiver", MIGRATE_SAME, "recipients are never named"),
    TAKE("Authserv_Id", migrate_take_authserv_id),
    TAKE("Lookup_Time", take_number),
    ROW("Whitelist_Lookup_Time", MIGRATE_SAME, "spf.time_limit is for all look-ups"),
    TAKE("Void_Limit", take_number),
    NONE("Mock", "milters see all fields"),
    ROW("QueueID", MIGRATE_SAME, "in the line of the message"),
    NONE("Reason_Message", "the reply says what failed; own text: spf.reply_text"),
    TAKE("Socket", migrate_take_socket),
    TAKE("PidFile", migrate_take_pid_file),
    TAKE("UserID", migrate_take_user),
    TAKE("UMask", migrate_take_umask),
    TAKE("InternalHosts", take_networks),
    NONE("MacroList", "logins are exempt; other macros are not asked"),
    NONE("MacroListVerify", "macros are not asked"),
    {.name = NULL}};

void migrate_spf_finish(struct migrate *migrate)
{
    /* What it does without being told. */
    if (migrate_line_find(migrate, "HELO_reject") == NULL)
        set(migrate, "helo_fail", "reject");
    if (migrate_line_find(migrate, "Mail_From_reject") == NULL)
        set(migrate, "mailfrom_fail", "reject");
    if (migrate_line_find(migrate, "Header_Type") == NULL)
        set(migrate, "received_spf", "yes");
}
