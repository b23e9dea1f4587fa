#ifndef AUTHMILTER_REPLAY_H
#define AUTHMILTER_REPLAY_H

#include "common/milter/case.h"

/* A case played again, and compared with what it says. */

struct replay {
    struct am_arena *arena;
    struct am_case kept;
    struct am_outcome outcome;
    struct am_strlist differences; /* sentences; none: all is as it was */
    struct am_strlist left_out;    /* modules that cannot be replayed, with the reason */
    bool all_said;                 /* those that are left out had no say then */
    struct am_strlist missed;      /* questions that are not in the case */
};

/*
 * Plays a case.
 *
 * replay: zeroed but for its arena. path: of the case. config: another configuration, NULL: that of
 * the case. Returns: false with a sentence: no case, a configuration that cannot be read here.
 * Blocking: reads files.
 */
bool replay_case(struct replay *replay, const char *path, const char *config,
                 struct am_problem *problem) AM_MUST_USE;

#endif
