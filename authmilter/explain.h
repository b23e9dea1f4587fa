#ifndef AUTHMILTER_EXPLAIN_H
#define AUTHMILTER_EXPLAIN_H

#include "authmilter/spf_report.h"
#include "authmilter/verify_report.h"
#include "common/milter/play.h"
#include "dkim-milter/dkim_diagnose.h"

/*
 * `authmilter explain`: one message, told from its envelope to what would become of it. The engines
 * say why, with every step; the modules, played through the session of the daemon, say what.
 */

/* Most octets of a message's body. */
#define EXPLAIN_BODY_MAX ((size_t)64 << 20)

/* Where a part of the envelope comes from. */
struct explain_fact {
    const char *value;  /* NULL: not known */
    const char *source; /* "--ip", "Return-Path", "Received, number 3 of the header", ... */
};

struct explain_envelope {
    struct explain_fact client, client_name, helo, sender;
    struct am_strlist recipients; /* with brackets; never empty */
    const char *user;             /* of the login; NULL = none */
};

/* The message as it is kept for several readings. */
struct explain_mail {
    struct dkim_fields fields;
    struct am_buf body;
    const struct tool_mail_notes *notes;
};

/* All that is told. */
struct explain_report {
    const struct explain_envelope *envelope;
    struct spf_report spf;     /* no entries: not checked */
    const char *spf_unchecked; /* why not; NULL: it was */
    struct verify_report dkim;
    const struct dkim_diagnosis *diagnoses; /* as many as outcomes */
    const char *config;                     /* the file; NULL: defaults */
    const char *modules;                    /* "spf, dkim, ..." */
    const struct am_outcome *outcome;
};

/*
 * Reads a message. Returns false with a sentence. Ownership: `arena`, but for the body, which the
 * caller gives back with am_buf_fini(), always.
 */
bool explain_mail_read(struct explain_mail *mail, struct am_arena *arena, const char *path,
                       struct am_problem *problem) AM_MUST_USE;

/*
 * Fills what the options left open (members without a value) from the header: the sender from
 * Return-Path, client and HELO from the topmost Received field that names a client outside. What
 * loopback hops wrote is passed over.
 *
 * Returns: false when memory is short.
 */
bool explain_envelope_guess(struct explain_envelope *envelope, struct am_arena *arena,
                            const struct dkim_fields *fields) AM_MUST_USE;

/* Where the octets that signatures cover are written. */
struct explain_hash_target {
    const char *path; /* of the directory; NULL: nowhere */
    int directory;    /* its descriptor, or -1 */
};

/*
 * Makes what signature `number` (from 1) covers, and writes it to NUMBER.header and NUMBER.body of
 * the target, anew if they are there; they are empty where the signature could not be read.
 *
 * hashed: the caller ends it. Returns false with a sentence. Blocking: writes.
 */
bool explain_hash_to(const struct explain_hash_target *target, size_t number,
                     struct dkim_hashed *hashed, struct am_arena *arena,
                     const struct dkim_fields *fields, const struct dkim_outcome *outcome,
                     struct am_span body, struct am_problem *problem) AM_MUST_USE;

/* Writes sentences. */
void explain_text(const struct explain_report *report, FILE *out);

/* Writes one JSON object (docs/explain.md). Returns false when memory is short. */
bool explain_json(const struct explain_report *report, FILE *out);

#endif
