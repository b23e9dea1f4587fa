#include <string.h>
#include <strings.h>

#include "authmilter/migrate_set.h"

/* What becomes of each option of opendkim.conf(5) and dkimpy-milter.conf(5). */

static void set(struct migrate *migrate, const struct migrate_line *line, const char *section,
                const char *name, const char *value)
{
    migrate_set(&migrate->output, migrate->arena, section, name, value);
    migrate_say(migrate, MIGRATE_TRANSLATED, line, "%s.%s", section, name);
}

static void set_number(struct migrate *migrate, const struct migrate_line *line,
                       const char *section, const char *name, long least, long most,
                       const char *unit)
{
    long value;

    if (migrate_number(migrate, line, least, most, &value))
        set(migrate, line, section, name,
            am_arena_printf(migrate->arena, "%ld%s", value, value == 0 ? "" : unit));
}

static void take_canonicalization(struct migrate *migrate, const struct migrate_line *line)
{
    const char *slash = strchr(line->value, '/');
    const char *words[2] = {line->value, slash == NULL ? "simple" : slash + 1};
    bool relaxed[2];

    for (int i = 0; i < 2; i++) {
        const char *word = words[i] + strspn(words[i], " \t");
        relaxed[i] = strncasecmp(word, "relaxed", 7) == 0;
        if (!relaxed[i] && strncasecmp(word, "simple", 6) != 0) {
            migrate_say(migrate, MIGRATE_MEND, line, "\"%s\" is neither simple nor relaxed", word);
            return;
        }
    }
    set(migrate, line, "dkim", "sign_canonicalization",
        am_arena_printf(migrate->arena, "%s/%s", relaxed[0] ? "relaxed" : "simple",
                        relaxed[1] ? "relaxed" : "simple"));
}

static void take_mode(struct migrate *migrate, const struct migrate_line *line)
{
    bool signs = strchr(line->value, 's') != NULL, verifies = strchr(line->value, 'v') != NULL;

    if (!signs && !verifies)
        migrate_say(migrate, MIGRATE_MEND, line, "\"%s\" holds neither s nor v", line->value);
    else
        set(migrate, line, "dkim", "mode", signs && verifies ? "auto" : signs ? "sign" : "verify");
}

static void take_internal_hosts(struct migrate *migrate, const struct migrate_line *line)
{
    if (!migrate_networks(migrate, line, "dkim", "sign_networks"))
        migrate_set(&migrate->output, migrate->arena, "dkim", "sign_local", "no");
    migrate_say(migrate, MIGRATE_TRANSLATED, line,
                "dkim.sign_networks; whether 127.0.0.1 is among them: dkim.sign_local");
}

static void take_peer_list(struct migrate *migrate, const struct migrate_line *line)
{
    (void)migrate_networks(migrate, line, "dkim", "exempt_networks");
    migrate_say(migrate, MIGRATE_TRANSLATED, line, "dkim.exempt_networks");
}

static void add_items(struct migrate *migrate, const struct migrate_line *line, const char *section,
                      const char *name)
{
    struct migrate_set_rows rows;

    if (!migrate_set_read(migrate, line, &rows))
        return;
    for (size_t i = 0; i < rows.count; i++)
        migrate_add_item(&migrate->output, migrate->arena, section, name, rows.rows[i].key);
    migrate_say(migrate, MIGRATE_TRANSLATED, line, "%s.%s", section, name);
}

static void take_mta(struct migrate *migrate, const struct migrate_line *line)
{
    add_items(migrate, line, "dkim", "sign_daemons");
}

static void take_nameservers(struct migrate *migrate, const struct migrate_line *line)
{
    add_items(migrate, line, "dns", "nameservers");
}

static void take_remove_ar_from(struct migrate *migrate, const struct migrate_line *line)
{
    struct migrate_set_rows rows;

    if (!migrate_set_read(migrate, line, &rows))
        return;
    for (size_t i = 0; i < rows.count; i++) {
        if (rows.rows[i].key[0] == '.')
            migrate_say(migrate, MIGRATE_NONE, line, "%s: ids are named one by one",
                        rows.rows[i].key);
        else
            migrate_add_item(&migrate->output, migrate->arena, "authres", "also_ours",
                             rows.rows[i].key);
    }
    migrate_say(migrate, MIGRATE_TRANSLATED, line, "authres.also_ours");
}

/* Takes the values of one macro of a MacroList: "name=value1|value2". */
static void take_macro(struct migrate *migrate, const struct migrate_line *line,
                       const struct migrate_row *row)
{
    const char *name = row->key + (row->key[0] == '{'), *value = row->value;

    if (strncasecmp(name, "auth_type", 9) == 0 || strncasecmp(name, "auth_authen", 11) == 0) {
        migrate_say(migrate, MIGRATE_SAME, line, "%s: logins are signed for", row->key);
        return;
    }
    if (strncasecmp(name, "daemon_name", 11) != 0 || *value == '\0') {
        migrate_say(migrate, MIGRATE_NONE, line, "%s: not asked", row->key);
        return;
    }
    for (size_t len; *value != '\0'; value += len + (value[len] == '|')) {
        len = strcspn(value, "|");
        const char *word = am_arena_copy(migrate->arena, am_span_of(value, len));
        if (word != NULL && len > 0)
            migrate_add_item(&migrate->output, migrate->arena, "dkim", "sign_daemons", word);
    }
    migrate_say(migrate, MIGRATE_TRANSLATED, line, "%s: dkim.sign_daemons", row->key);
}

static void take_macros(struct migrate *migrate, const struct migrate_line *line)
{
    struct migrate_set_rows rows;

    if (migrate_set_read(migrate, line, &rows))
        for (size_t i = 0; i < rows.count; i++)
            take_macro(migrate, line, &rows.rows[i]);
}

static void take_clock_drift(struct migrate *migrate, const struct migrate_line *line)
{
    set_number(migrate, line, "dkim", "clock_skew", 0, 86400, "s");
}

static void take_dns_timeout(struct migrate *migrate, const struct migrate_line *line)
{
    set_number(migrate, line, "dns", "timeout", 1, 30, "s");
}

static void take_max_headers(struct migrate *migrate, const struct migrate_line *line)
{
    if (strcmp(line->value, "0") == 0)
        set(migrate, line, "milter", "max_header_bytes", "64M");
    else
        set_number(migrate, line, "milter", "max_header_bytes", 4096, 64L << 20, "");
}

static void take_max_signatures(struct migrate *migrate, const struct migrate_line *line)
{
    set_number(migrate, line, "dkim", "max_signatures", 1, 50, "");
}

static void take_key_bits(struct migrate *migrate, const struct migrate_line *line)
{
    set_number(migrate, line, "dkim", "min_key_bits", 1024, 8192, "");
}

static void take_ttl(struct migrate *migrate, const struct migrate_line *line)
{
    if (strcmp(line->value, "0") == 0)
        migrate_say(migrate, MIGRATE_SAME, line, "signatures do not expire");
    else
        set_number(migrate, line, "dkim", "sign_expire", 60, 366L * 86400, "s");
}

static void take_copied(struct migrate *migrate, const struct migrate_line *line)
{
    set(migrate, line, "dkim", "sign_copied_headers", migrate_is_yes(line->value) ? "yes" : "no");
}

static void take_keep_results(struct migrate *migrate, const struct migrate_line *line)
{
    set(migrate, line, "authres", "scrub", migrate_is_yes(line->value) ? "none" : "all");
}

static void take_syslog(struct migrate *migrate, const struct migrate_line *line)
{
    set(migrate, line, "milter", "log_target", migrate_is_yes(line->value) ? "syslog" : "stderr");
}

static void take_facility(struct migrate *migrate, const struct migrate_line *line)
{
    static const char *const known[] = {"mail",   "daemon", "user",   "local0", "local1", "local2",
                                        "local3", "local4", "local5", "local6", "local7"};

    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (strcasecmp(known[i], line->value) == 0) {
            set(migrate, line, "milter", "log_facility", known[i]);
            return;
        }
    migrate_say(migrate, MIGRATE_NONE, line, "no such facility; mail is taken");
}

static void take_sender_headers(struct migrate *migrate, const struct migrate_line *line)
{
    bool same = strcasecmp(line->value, "From") == 0;

    migrate_say(migrate, same ? MIGRATE_SAME : MIGRATE_CHANGED, line,
                "the author in From decides who signs (dkim.sign_by)");
}

static void take_sub_domains(struct migrate *migrate, const struct migrate_line *line)
{
    migrate_say(migrate, MIGRATE_TRANSLATED, line, "rows of dkim.signing_table");
}

/* Said where the lists are read. */
static void take_later(struct migrate *migrate, const struct migrate_line *line)
{
    (void)migrate;
    (void)line;
}

/* --- actions --- */

static const char *action_word(const char *value)
{
    static const char *const words[] = {"accept", "discard", "quarantine", "reject", "tempfail"};

    for (size_t i = 0; i < 5; i++)
        if (*value != '\0' && strncasecmp(words[i], value, strlen(value)) == 0)
            return i == 1 ? "quarantine" : words[i];
    return NULL;
}

static void set_action(struct migrate *migrate, const struct migrate_line *line,
                       const char *section, const char *name)
{
    const char *word = action_word(line->value);

    if (word == NULL) {
        migrate_say(migrate, MIGRATE_MEND, line, "\"%s\" is no action", line->value);
        return;
    }
    if (line->value[0] == 'd' || line->value[0] == 'D')
        migrate_say(migrate, MIGRATE_CHANGED, line, "no mail is thrown away here: it is held");
    set(migrate, line, section, name, word);
}

static const struct {
    const char *theirs, *section, *ours;
} actions[] = {
    {"On-BadSignature", "dkim", "result_fail"},  {"On-KeyNotFound", "dkim", "result_permerror"},
    {"On-DNSError", "dkim", "result_temperror"}, {"On-NoSignature", "dkim", "result_none"},
    {"On-Security", "dkim", "result_policy"},    {"On-InternalError", "milter", "on_failure"}};

static void take_action(struct migrate *migrate, const struct migrate_line *line)
{
    for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++)
        if (strcasecmp(actions[i].theirs, line->name) == 0)
            set_action(migrate, line, actions[i].section, actions[i].ours);
}

static void take_default_action(struct migrate *migrate, const struct migrate_line *line)
{
    for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++)
        if (strcasecmp(actions[i].theirs, "On-NoSignature") != 0 &&
            migrate_line_find(migrate, actions[i].theirs) == NULL)
            set_action(migrate, line, actions[i].section, actions[i].ours);
}

static void take_quarantine(struct migrate *migrate, const struct migrate_line *line)
{
    if (!migrate_is_yes(line->value) || migrate_line_find(migrate, "On-BadSignature") != NULL)
        migrate_say(migrate, MIGRATE_SAME, line, "nothing to do");
    else
        set(migrate, line, "dkim", "result_fail", "quarantine");
}

#define TAKE(NAME, FUNCTION)                                                                       \
    {                                                                                              \
        .name = (NAME), .take = (FUNCTION)                                                         \
    }
#define SAME(NAME, SAYS)                                                                           \
    {                                                                                              \
        .name = (NAME), .kind = MIGRATE_SAME, .says = (SAYS)                                       \
    }
#define CHANGED(NAME, SAYS)                                                                        \
    {                                                                                              \
        .name = (NAME), .kind = MIGRATE_CHANGED, .says = (SAYS)                                    \
    }
#define NONE(NAME, SAYS)                                                                           \
    {                                                                                              \
        .name = (NAME), .kind = MIGRATE_NONE, .says = (SAYS)                                       \
    }

#define LDAP "no LDAP: let a script write the tables"
#define REPORTS "no reports are sent"
#define STATISTICS "no such statistics; see milter.metrics_listen"
#define LUA "no scripts"
#define VBR "no VBR"
#define DEBUG "for finding faults there; here: authmilter verify"

const struct migrate_option migrate_opendkim_options[] = {
    CHANGED("AllowSHA1Only", "SHA-1 is never good (RFC 8301)"),
    SAME("AlwaysAddARHeader", "always so"),
    TAKE("AuthservID", migrate_take_authserv_id),
    NONE("AuthservIDWithJobID", "the log has the queue id"),
    SAME("AutoRestart", "systemd restarts the program"),
    SAME("AutoRestartCount", "systemd restarts the program"),
    SAME("AutoRestartRate", "systemd restarts the program"),
    SAME("Background", "systemd keeps the program"),
    SAME("BaseDirectory", "relative paths were read from there"),
    NONE("BodyLengthDB", "l= is never written: anybody could add to the mail"),
    CHANGED("BogusKey", "a bogus answer is temperror, with a validating name server"),
    CHANGED("CaptureUnknownErrors", "see milter.on_failure"),
    TAKE("Canonicalization", take_canonicalization),
    NONE("ChangeRootDirectory", "the systemd unit confines the program"),
    TAKE("ClockDrift", take_clock_drift),
    TAKE("Diagnostics", take_copied),
    NONE("DiagnosticDirectory", DEBUG),
    NONE("DisableCryptoInit", DEBUG),
    NONE("DNSConnect", "TCP is asked when it is needed"),
    TAKE("DNSTimeout", take_dns_timeout),
    TAKE("Domain", take_later),
    NONE("DomainKeysCompat", "keys of DomainKeys are not read"),
    NONE("DontSignMailTo", "who receives a mail does not decide on its signature"),
    NONE("EnableCoredumps", "systemd decides"),
    NONE("ExemptDomains", "policies by sender: section dkim_override"),
    SAME("ExternalIgnoreList", "such mail is not signed, and never complained of"),
    NONE("FinalPolicyScript", LUA),
    NONE("FixCRLF", "bare CR and LF are hashed as they are"),
    NONE("IdentityHeader", "see identity= in the key table"),
    NONE("IdentityHeaderRemove", "see identity= in the key table"),
    NONE("IgnoreMalformedMail", "results say what is wrong"),
    SAME("Include", "read"),
    TAKE("InternalHosts", take_internal_hosts),
    TAKE("KeepAuthResults", take_keep_results),
    NONE("KeepTemporaryFiles", DEBUG),
    TAKE("KeyFile", take_later),
    TAKE("KeyTable", take_later),
    NONE("LDAPAuthMechanism", LDAP),
    NONE("LDAPAuthName", LDAP),
    NONE("LDAPAuthRealm", LDAP),
    NONE("LDAPAuthUser", LDAP),
    NONE("LDAPBindPassword", LDAP),
    NONE("LDAPBindUser", LDAP),
    NONE("LDAPDisableCache", LDAP),
    NONE("LDAPKeepaliveIdle", LDAP),
    NONE("LDAPKeepaliveInterval", LDAP),
    NONE("LDAPKeepaliveProbes", LDAP),
    NONE("LDAPTimeout", LDAP),
    NONE("LDAPUseTLS", LDAP),
    SAME("LogResults", "in the line of the message"),
    SAME("LogWhy", "in the line of the message"),
    TAKE("MacroList", take_macros),
    TAKE("MaximumHeaders", take_max_headers),
    TAKE("MaximumSignaturesToVerify", take_max_signatures),
    NONE("MaximumSignedBytes", "l= is never written: anybody could add to the mail"),
    NONE("MilterDebug", DEBUG),
    CHANGED("Minimum", "a body that is signed in part gets policy (dkim.partial_body)"),
    TAKE("MinimumKeyBits", take_key_bits),
    TAKE("Mode", take_mode),
    TAKE("MTA", take_mta),
    NONE("MTACommand", REPORTS),
    SAME("MultipleSignatures", "rows of dkim.signing_table name all their keys"),
    NONE("MustBeSigned", "From must be signed, others need not"),
    TAKE("Nameservers", take_nameservers),
    NONE("NoHeaderB", "header.b is always written"),
    TAKE("OmitHeaders", take_later),
    TAKE("On-BadSignature", take_action),
    TAKE("On-Default", take_default_action),
    TAKE("On-DNSError", take_action),
    TAKE("On-InternalError", take_action),
    TAKE("On-KeyNotFound", take_action),
    TAKE("On-NoSignature", take_action),
    TAKE("On-Security", take_action),
    CHANGED("On-SignatureError", "see dkim.unusable_from and milter.on_failure"),
    TAKE("OversignHeaders", take_later),
    TAKE("PeerList", take_peer_list),
    TAKE("PidFile", migrate_take_pid_file),
    NONE("POPDBFile", "networks: dkim.sign_networks"),
    TAKE("Quarantine", take_quarantine),
    SAME("QueryCache", "always so (dns.cache_size)"),
    NONE("RedirectFailuresTo", "no mail is redirected"),
    SAME("RemoveARAll", "all in our name are removed (authres.scrub)"),
    TAKE("RemoveARFrom", take_remove_ar_from),
    NONE("RemoveOldSignatures", "signatures of others stay"),
    NONE("ReplaceHeaders", "no field is changed"),
    NONE("ReplaceRules", "no field is changed"),
    NONE("ReportAddress", REPORTS),
    NONE("ReportBccAddress", REPORTS),
    NONE("RequestReports", REPORTS),
    NONE("RequiredHeaders", "From must be there once to be signed; else no mail is refused"),
    SAME("RequireSafeKeys", "always so"),
    NONE("ResignAll", "mail of others is never signed"),
    NONE("ResignMailTo", "mail of others is never signed"),
    NONE("ResolverConfiguration", "see section dns"),
    NONE("ResolverTracing", DEBUG),
    NONE("ScreenPolicyScript", LUA),
    NONE("SelectCanonicalizationHeader", "dkim.sign_canonicalization is for all mail"),
    TAKE("Selector", take_later),
    TAKE("SenderHeaders", take_sender_headers),
    NONE("SenderMacro", "see dkim.sign_by"),
    NONE("SendReports", REPORTS),
    NONE("SetupPolicyScript", LUA),
    SAME("SignatureAlgorithm", "taken from the key"),
    TAKE("SignatureTTL", take_ttl),
    TAKE("SignHeaders", take_later),
    TAKE("SigningTable", take_later),
    NONE("SMTPURI", REPORTS),
    TAKE("Socket", migrate_take_socket),
    NONE("SoftStart", LDAP),
    NONE("SoftwareHeader", "no such field is added"),
    NONE("Statistics", STATISTICS),
    NONE("StatisticsName", STATISTICS),
    NONE("StatisticsPolicyScript", STATISTICS),
    NONE("StatisticsPrefix", STATISTICS),
    NONE("StrictHeaders", "no mail is refused for its header"),
    NONE("StrictTestMode", DEBUG),
    TAKE("SubDomains", take_sub_domains),
    TAKE("Syslog", take_syslog),
    TAKE("SyslogFacility", take_facility),
    NONE("SyslogName", "the name of the program"),
    SAME("SyslogSuccess", "every message has its line"),
    NONE("TemporaryDirectory", DEBUG),
    NONE("TestDNSData", "for tests: dns.zone"),
    NONE("TestPublicKeys", "for tests: dns.zone"),
    SAME("TrustAnchorFile", "the name server validates DNSSEC"),
    NONE("TrustSignaturesFrom", "see dkim.require_aligned"),
    TAKE("UMask", migrate_take_umask),
    NONE("UnprotectedKey", "keys without DNSSEC are as good; policy.dnssec=yes names the others"),
    TAKE("UserID", migrate_take_user),
    NONE("VBR-Certifiers", VBR),
    NONE("VBR-PurgeFields", VBR),
    NONE("VBR-TrustedCertifiers", VBR),
    NONE("VBR-TrustedCertifiersOnly", VBR),
    NONE("VBR-Type", VBR),
    NONE("WeakSyntaxChecks", "results say what is wrong"),
    {.name = NULL}};

const struct migrate_option migrate_dkimpy_options[] = {
    TAKE("AuthservID", migrate_take_authserv_id),
    TAKE("Canonicalization", take_canonicalization),
    NONE("DiagnosticDirectory", DEBUG),
    NONE("DNSOverride", "for tests: dns.zone"),
    TAKE("DNSTimeout", take_dns_timeout),
    TAKE("Domain", take_later),
    TAKE("InternalHosts", take_internal_hosts),
    TAKE("KeyFile", take_later),
    TAKE("KeyFileEd25519", take_later),
    TAKE("KeyTable", take_later),
    TAKE("KeyTableEd25519", take_later),
    TAKE("MacroList", take_macros),
    NONE("MacroListVerify", "a socket with milter.role = inbound signs nothing"),
    TAKE("MinimumKeyBits", take_key_bits),
    TAKE("Mode", take_mode),
    SAME("OmitHeaders", "it had no effect"),
    SAME("PeerList", "it had no effect"),
    TAKE("PidFile", migrate_take_pid_file),
    TAKE("Selector", take_later),
    TAKE("SelectorEd25519", take_later),
    TAKE("SignHeaders", take_later),
    TAKE("SigningTable", take_later),
    TAKE("Socket", migrate_take_socket),
    TAKE("SubDomains", take_sub_domains),
    TAKE("Syslog", take_syslog),
    TAKE("SyslogFacility", take_facility),
    SAME("SyslogSuccess", "every message has its line"),
    TAKE("UMask", migrate_take_umask),
    TAKE("UserID", migrate_take_user),
    {.name = NULL}};

void migrate_dkim_finish(struct migrate *migrate)
{
    bool is_opendkim = migrate->from == MIGRATE_OPENDKIM;

    migrate_signing_write(migrate);
    migrate_headers_write(migrate);
    if (migrate_line_find(migrate, "Canonicalization") == NULL)
        migrate_set(&migrate->output, migrate->arena, "dkim", "sign_canonicalization",
                    is_opendkim ? "simple/simple" : "relaxed/simple");
    if (is_opendkim && migrate_line_find(migrate, "On-DNSError") == NULL &&
        migrate_line_find(migrate, "On-Default") == NULL)
        migrate_set(&migrate->output, migrate->arena, "dkim", "result_temperror", "tempfail");
    migrate_say(migrate, MIGRATE_CHANGED, NULL,
                "a login with a domain has mail of that domain signed only (dkim.login_binding)");
    for (size_t i = 0; i < 3; i++) {
        static const char *const names[] = {"Domain", "Selector", "SelectorEd25519"};
        const struct migrate_line *line = migrate_line_find(migrate, names[i]);

        if (line != NULL && migrate_line_find(migrate, "KeyTable") != NULL)
            migrate_say(migrate, MIGRATE_SAME, line, "without effect beside KeyTable");
        else if (line != NULL && i > 0)
            migrate_say(migrate, MIGRATE_TRANSLATED, line, "a row of dkim.key_table");
    }
}
