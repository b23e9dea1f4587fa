#include "authmilter/check_keys.h"

#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <sys/stat.h>

#include "authmilter/check_managed.h"
#include "authmilter/tool_key.h"
#include "common/base/privilege.h"
#include "common/mail/domain.h"

/* Most look-ups in a row without an answer: then the DNS is down, and waiting tells nothing. */
#define SILENCE_MAX 3

/* Most keys that are looked up, as in dkim-milter itself. */
#define KEYS_MAX 1000

/* --- the files --- */

static void take_warning(const char *path, const char *sentence, struct check_findings *findings)
{
    static const char mark[] = "; mend it with: ";
    const char *mend = strstr(sentence, mark);

    if (mend != NULL) {
        check_found(findings, CHECK_KEY_ACCESS, path, "%.*s", (int)(mend - sentence), sentence);
        check_mend(findings, "%s", mend + strlen(mark));
    } else if (strstr(sentence, " is weak, ") != NULL) {
        check_found(findings, CHECK_KEY_WEAK, path, "%s", sentence);
        check_mend(findings, "authmilter keygen --domain DOMAIN --selector NEW --type rsa");
    } else {
        check_found(findings, CHECK_KEY_UNUSABLE, path, "%s", sentence);
        check_mend(findings, "do as the sentence says, or take the file or row away");
    }
}

static void judge_reader(const struct check_program *program, const struct dkim_key_reader *reader,
                         struct check_findings *findings)
{
    const char *user = program->runtime->milter->user;
    struct am_problem problem;
    uid_t uid = 0;

    if (user[0] != '\0' && (!am_user_find(user, &uid, NULL, &problem) || uid == reader->uid))
        return;
    if (user[0] == '\0' && reader->uid != 0)
        return;
    check_found(findings, CHECK_KEYS_USER, program->path,
                "the key files were judged for user %lu, who may not be the one who signs",
                (unsigned long)reader->uid);
    check_mend(findings, "%s",
               reader->uid == 0 ? "name the user who signs in milter.user"
                                : "run this command as root");
}

/* Whose a file is: the name, else the number. */
static const char *owner_of(const struct stat *info, struct am_arena *arena)
{
    const struct passwd *user = getpwuid(info->st_uid);
    const struct group *group = getgrgid(info->st_gid);
    const char *text = user != NULL && group != NULL
                           ? am_arena_printf(arena, "%s:%s", user->pw_name, group->gr_name)
                           : am_arena_printf(arena, "%lu:%lu", (unsigned long)info->st_uid,
                                             (unsigned long)info->st_gid);

    return text == NULL ? "" : text;
}

static void describe_key(const struct dkim_signing_key *key, struct check_findings *findings)
{
    struct stat info;

    if (stat(key->path, &info) != 0)
        return;
    check_found(findings, CHECK_KEY_OK, key->path,
                "%s, %u bits, %s, mode %04o, for %s._domainkey.%s",
                dkim_key_type_word(dkim_private_key_type(key->key)),
                dkim_private_key_bits(key->key), owner_of(&info, findings->arena),
                (unsigned)(info.st_mode & 07777), key->selector, key->domain);
}

const struct dkim_keys *check_keys_open(struct check_program *program,
                                        struct check_findings *findings)
{
    const struct am_milter_options *milter = program->runtime->milter;
    const struct dkim_keys_source source = {program->dkim->key_directory, program->dkim->key_table,
                                            program->dkim->signing_table};
    struct dkim_key_reader *reader = am_arena_alloc(findings->arena, sizeof(*reader));
    struct dkim_keys_env env = {.arena = findings->arena, .reader = reader};
    struct am_problem problem;

    if (reader == NULL) {
        findings->failed = true;
        return NULL;
    }
    const struct dkim_keys *keys = NULL;
    if (dkim_key_reader_find(reader, milter->user, milter->group, &problem))
        keys = dkim_keys_open(&source, &env, &problem);
    if (keys == NULL) {
        check_found(findings, CHECK_KEYS_NONE, program->path, "%s", problem.text);
        check_mend(findings, "edit %s as the sentence says", program->path);
        return NULL;
    }
    judge_reader(program, reader, findings);
    for (const struct dkim_keys_warning *warning = dkim_keys_warnings(keys); warning != NULL;
         warning = warning->next)
        take_warning(program->path, warning->sentence, findings);
    check_managed_open(program, reader, findings);
    for (size_t i = 0; i < dkim_keys_count(keys); i++)
        describe_key(dkim_keys_item(keys, i), findings);
    for (size_t i = 0; i < program->managed_count; i++)
        describe_key(program->managed[i], findings);
    if (dkim_keys_count(keys) == 0 && program->managed_count == 0) {
        check_found(findings, CHECK_KEYS_NONE, program->path,
                    "no key could be used: nothing is signed");
        check_mend(findings, "authmilter keygen --domain DOMAIN --selector SELECTOR --output %s",
                   source.key_directory[0] != '\0' ? source.key_directory : "DIRECTORY");
    }
    return keys;
}

void check_keys_domains(const struct check_program *program, struct check_senders *senders)
{
    for (size_t i = 0; program->keys != NULL && i < dkim_keys_count(program->keys); i++) {
        const char *domain = dkim_keys_item(program->keys, i)->domain;

        if (domain[0] != '%')
            check_senders_add_domain(senders, domain);
    }
    for (size_t i = 0; i < program->managed_count; i++)
        if (program->managed_active[i])
            check_senders_add_domain(senders, program->managed[i]->domain);
}

/* --- the DNS --- */

struct comparison {
    const struct dkim_signing_key *key;
    const char *domain; /* in place of the key's own "%" */
    struct tool_record record;
    struct check_findings *findings;
};

static const char *shown(struct am_span text)
{
    return text.ptr == NULL ? "not said" : text.ptr;
}

static void judge_good(const struct comparison *of)
{
    const struct tool_record *record = &of->record;

    check_found(of->findings, CHECK_KEY_PUBLISHED, record->name,
                "the record belongs to %s; h= %.*s, s= %.*s; DNSSEC: %s", of->key->path,
                record->hashes.ptr == NULL ? 8 : (int)record->hashes.len, shown(record->hashes),
                record->services.ptr == NULL ? 8 : (int)record->services.len,
                shown(record->services), tool_record_security_text(record));
    if (record->parsed.testing) {
        check_found(of->findings, CHECK_KEY_TESTING, record->name,
                    "published as testing (t=y): receivers may treat its mail as unsigned");
        check_mend(of->findings, "take t=y out of the TXT record of %s", record->name);
    }
}

static void judge_none(const struct comparison *of)
{
    const char *record = dkim_key_record_write(of->findings->arena, of->key->key);

    check_found(of->findings, CHECK_KEY_NOT_PUBLISHED, of->record.name,
                "%s: signatures with %s fail everywhere", tool_record_dns_text(&of->record),
                of->key->path);
    check_mend(of->findings, "publish the TXT record \"%s\"", record == NULL ? "" : record);
}

static void judge_differs(const struct comparison *of)
{
    const char *record = dkim_key_record_write(of->findings->arena, of->key->key);

    check_found(of->findings, CHECK_KEY_DIFFERS, of->record.name,
                "the published key is not that of %s: its signatures fail everywhere",
                of->key->path);
    check_mend(of->findings, "publish the TXT record \"%s\", or sign with the published key",
               record == NULL ? "" : record);
}

static void judge_bad(const struct comparison *of)
{
    const struct tool_record *record = &of->record;
    enum check_id id = record->reason == DKIM_REASON_KEY_REVOKED   ? CHECK_KEY_REVOKED
                       : record->reason == DKIM_REASON_KEY_SEVERAL ? CHECK_KEY_SEVERAL
                                                                   : CHECK_KEY_RECORD;

    check_found(of->findings, id, record->name, "%s: signatures with %s fail everywhere",
                dkim_reason_text(record->reason), of->key->path);
    if (id == CHECK_KEY_REVOKED)
        check_mend(of->findings, "take %s out of use, or publish its record again", of->key->path);
    else if (id == CHECK_KEY_SEVERAL)
        check_mend(of->findings, "leave one TXT record at %s", record->name);
    else
        check_mend(of->findings, "publish the TXT record \"%s\"",
                   dkim_key_record_write(of->findings->arena, of->key->key));
}

/* Returns false when the DNS did not say. */
static bool judge_record(const struct comparison *of)
{
    const struct tool_record *record = &of->record;

    if (record->reason == DKIM_REASON_NONE && dkim_private_key_fits(of->key->key, record->key)) {
        judge_good(of);
    } else if (record->reason == DKIM_REASON_NONE) {
        judge_differs(of);
    } else if (record->reason == DKIM_REASON_KEY_NONE) {
        judge_none(of);
    } else if (dkim_reason_result(record->reason) == DKIM_TEMPERROR) {
        check_found(of->findings, CHECK_KEY_UNKNOWN, record->name, "%s",
                    tool_record_dns_text(record));
        check_mend(of->findings, "authmilter testkey %s %s", of->domain, of->key->selector);
        return false;
    } else {
        judge_bad(of);
    }
    return true;
}

/* Returns false when the DNS did not say. */
static bool compare(const struct dkim_signing_key *key, const char *domain,
                    struct am_resolver *resolver, struct check_findings *findings)
{
    struct comparison of = {.key = key, .domain = domain, .findings = findings};

    if (tool_record_find(&of.record, findings->arena, resolver, domain, key->selector,
                         am_deadline_in_ms(am_clock_system(), 20000)))
        return judge_record(&of);
    findings->failed = true;
    return true;
}

static void compare_any(const struct dkim_signing_key *key, const struct check_senders *senders,
                        struct am_resolver *resolver, struct check_findings *findings)
{
    for (size_t i = 0; i < senders->domain_count; i++)
        compare(key, senders->domains[i], resolver, findings);
    if (senders->domain_count > 0)
        return;
    check_found(findings, CHECK_KEY_NOT_COMPARED, key->path,
                "the key signs for any domain: there is no name to look up");
    check_mend(findings, "name the domains with --domain");
}

void check_keys_published(const struct check_program *program, const struct check_senders *senders,
                          struct am_resolver *resolver, struct check_findings *findings)
{
    size_t count = program->keys == NULL ? 0 : dkim_keys_count(program->keys), silent = 0, i = 0;

    for (; i < count && i < KEYS_MAX && silent < SILENCE_MAX; i++) {
        const struct dkim_signing_key *key = dkim_keys_item(program->keys, i);

        if (key->domain[0] == '%')
            compare_any(key, senders, resolver, findings);
        else
            silent = compare(key, key->domain, resolver, findings) ? 0 : silent + 1;
    }
    for (size_t k = 0; k < program->managed_count && silent < SILENCE_MAX; k++) {
        const struct dkim_signing_key *key = program->managed[k];

        silent = compare(key, key->domain, resolver, findings) ? 0 : silent + 1;
    }
    if (i == count)
        return;
    check_found(findings, CHECK_KEY_NOT_COMPARED, program->path, "%zu more keys were not looked up",
                count - i);
    check_mend(findings, silent == SILENCE_MAX
                             ? "see to it that the name servers answer, then check again"
                             : "check the others with authmilter testkey");
}

/* --- who signs for our domains --- */

static bool is_aligned(const struct dkim_keys_choice *choice, const char *domain)
{
    for (size_t i = 0; i < choice->count; i++)
        if (am_domain_is_within(am_span_str(choice->keys[i]->domain), am_span_str(domain)) ||
            am_domain_is_within(am_span_str(domain), am_span_str(choice->keys[i]->domain)))
            return true;
    return false;
}

void check_keys_signing(const struct check_program *program, const struct check_senders *senders,
                        struct check_findings *findings)
{
    for (size_t i = 0; program->keys != NULL && i < senders->domain_count; i++) {
        const char *domain = senders->domains[i];
        char text[AM_DOMAIN_MAX + 16];
        struct am_address address;
        struct dkim_keys_choice choice;

        if (check_managed_signs(program, domain))
            continue;
        snprintf(text, sizeof(text), "postmaster@%s", domain);
        am_address_parse(&address, am_span_str(text));
        dkim_keys_find(program->keys, findings->arena, &address, &choice);
        if (choice.count == 0) {
            check_found(findings, CHECK_DOMAIN_UNSIGNED, domain,
                        "mail from %s is not signed by %s: %s", text, program->name,
                        choice.rule == NULL ? "memory is short" : choice.rule);
            check_mend(findings, "authmilter keygen --domain %s --selector SELECTOR", domain);
        } else if (!is_aligned(&choice, domain)) {
            check_found(findings, CHECK_DOMAIN_UNALIGNED, domain,
                        "mail from %s is signed with d=%s, which DMARC does not count for %s (%s)",
                        text, choice.keys[0]->domain, domain, choice.rule);
            check_mend(findings, "authmilter keygen --domain %s --selector SELECTOR", domain);
        }
    }
}
