#ifndef AM_MILTER_WITNESS_H
#define AM_MILTER_WITNESS_H

#include "common/milter/session.h"

/*
 * Tells modules that watch (am_module.witness) what the others and the framework do. Without such a
 * module nothing is done.
 *
 * Nothing of it changes what becomes of a message; when memory is short a text is left out.
 */

/*
 * Begins with a connection: puts itself between the session and its peer. When the message is
 * played (am_runtime.reporter), whose peer takes down what becomes of it, nothing is done.
 */
void am_witness_begin(struct am_session *session);

/* Ends it; session may be on its way out. */
void am_witness_end(struct am_session *session);

/* A module published a result. */
void am_witness_result(struct am_session *session, enum am_stage stage, const char *module,
                       const struct am_result *result);

/* A module returned something other than CONTINUE; `reply` may be NULL. */
void am_witness_verdict(struct am_session *session, enum am_stage stage, const char *module,
                        enum am_verdict verdict, const struct am_reply *reply);

/* The MTA is told what to do; NULL stands for "go on". */
void am_witness_answer(struct am_session *session, const struct am_decision *decision);

#endif
