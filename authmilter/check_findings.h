#ifndef AUTHMILTER_CHECK_FINDINGS_H
#define AUTHMILTER_CHECK_FINDINGS_H

#include <stdio.h>

#include "common/base/arena.h"
#include "common/base/problem.h"

/* What `authmilter check` found: kinds with a fixed name and severity, and the list of findings. */

enum check_severity { CHECK_OK, CHECK_NOTE, CHECK_WARNING, CHECK_ERROR };
#define CHECK_SEVERITY_COUNT 4

/* The kinds, in the order of check_kinds. */
enum check_id {
    CHECK_CONFIG_OK,
    CHECK_CONFIG_WRONG,
    CHECK_CONFIG_REMARK,
    CHECK_CONFIG_USER,
    CHECK_CONFIG_OBSERVE,
    CHECK_SOCKET_SHARED,
    CHECK_AUTHSERV_ID_DIFFERS,
    CHECK_MAP_OK,
    CHECK_MAP_UNREACHABLE,
    CHECK_KEY_OK,
    CHECK_KEY_ACCESS,
    CHECK_KEY_UNUSABLE,
    CHECK_KEY_WEAK,
    CHECK_KEYS_NONE,
    CHECK_KEYS_USER,
    CHECK_KEY_PUBLISHED,
    CHECK_KEY_NOT_PUBLISHED,
    CHECK_KEY_DIFFERS,
    CHECK_KEY_REVOKED,
    CHECK_KEY_SEVERAL,
    CHECK_KEY_RECORD,
    CHECK_KEY_TESTING,
    CHECK_KEY_UNKNOWN,
    CHECK_KEY_NOT_COMPARED,
    CHECK_DOMAIN_UNSIGNED,
    CHECK_DOMAIN_UNALIGNED,
    CHECK_DOMAINS_MANY,
    CHECK_ADDRESS_NONE,
    CHECK_ADDRESS_PRIVATE,
    CHECK_SPF_OK,
    CHECK_SPF_MISSING,
    CHECK_SPF_FAIL,
    CHECK_SPF_NOT_PASS,
    CHECK_SPF_BROKEN,
    CHECK_SPF_UNKNOWN,
    CHECK_SPF_LOOKUPS,
    CHECK_SPF_OPEN,
    CHECK_SPF_NO_END,
    CHECK_SPF_PTR,
    CHECK_DMARC_OK,
    CHECK_DMARC_MISSING,
    CHECK_DMARC_SEVERAL,
    CHECK_DMARC_BROKEN,
    CHECK_DMARC_UNKNOWN,
    CHECK_DMARC_TAG_IGNORED,
    CHECK_DMARC_MONITORS,
    CHECK_DMARC_NO_REPORTS,
    CHECK_POSTFIX_UNREADABLE,
    CHECK_POSTFIX_REMARK,
    CHECK_MILTER_OK,
    CHECK_MILTER_UNUSED,
    CHECK_MILTER_ADDRESS,
    CHECK_MILTER_OUTSIDE_CHROOT,
    CHECK_MILTER_ACCESS,
    CHECK_MILTER_NO_SOCKET,
    CHECK_MILTER_STALE_SOCKET,
    CHECK_MILTER_UNREACHABLE,
    CHECK_MILTER_NOT_TRIED,
    CHECK_MILTER_PROTOCOL,
    CHECK_MILTER_DEFAULT_ACTION,
    CHECK_MILTER_DEFAULT_REFUSES,
    CHECK_MILTER_TIMEOUT,
    CHECK_MILTER_MAPS,
    CHECK_MILTER_ORDER,
    CHECK_MILTER_AFTER_SIGNING,
    CHECK_SCRUB_TWICE,
    CHECK_SCRUB_NONE,
    CHECK_AUTHSERV_ID_HOST,
    CHECK_NON_SMTPD_MISSING,
    CHECK_BOUNCE_CLASS,
    CHECK_SERVICE_UNSIGNED,
    CHECK_SERVICE_UNCHECKED,
    CHECK_REINJECT_TWICE,
    CHECK_FILTER_AFTER_SIGNING,
    CHECK_DAEMON_NAME,
    CHECK_ID_COUNT,
};

/* A kind of finding; docs/check.md describes each. */
struct check_kind {
    const char *name; /* stable: "key-not-published" */
    enum check_severity severity;
    const char *meaning;
};

extern const struct check_kind check_kinds[CHECK_ID_COUNT];

struct check_finding {
    struct check_finding *next;
    enum check_id id;
    const char *where; /* file, parameter, DNS name */
    const char *what;  /* a sentence */
    const char *mend;  /* a command, or a line to write; NULL: nothing to do */
};

struct check_findings {
    struct am_arena *arena;
    struct check_finding *first, *last;
    size_t counts[CHECK_SEVERITY_COUNT];
    bool failed; /* memory was short: some are missing */
};

/* Begins an empty list whose texts live in `arena`. */
void check_findings_init(struct check_findings *findings, struct am_arena *arena);

/* Adds a finding without a mend. where: copied. */
void check_found(struct check_findings *findings, enum check_id id, const char *where,
                 const char *format, ...) AM_PRINTF(4, 5);

/* Says how the finding that was added last is mended. */
void check_mend(struct check_findings *findings, const char *format, ...) AM_PRINTF(2, 3);

/* Tells whether there is such a finding at a place already. */
bool check_is_found(const struct check_findings *findings, enum check_id id, const char *where);

/* Returns "ok", "note", "warning" or "error". */
const char *check_severity_word(enum check_severity severity);

/* Writes the findings, one after another, and a line with their numbers; `verbose`: those that are
 * "ok", too. */
void check_print_text(const struct check_findings *findings, bool verbose, FILE *out);

/* Writes all findings as JSON (docs/check.md). Returns false when memory is short or `out` fails.
 */
bool check_print_json(const struct check_findings *findings, FILE *out);

/* Writes the kinds: name, severity and meaning, one a line. */
void check_print_kinds(FILE *out);

#endif
