#ifndef TESTS_DMARC_GIVEN_MODULE_H
#define TESTS_DMARC_GIVEN_MODULE_H

#include "common/milter/module.h"

/* Most results of a case. */
#define GIVEN_MAX 40

/* What SPF and DKIM are to have found of the next message. */
struct given {
    struct am_result results[GIVEN_MAX];
    size_t count;
};

extern struct given given;

/* Stands in for the checks of SPF and DKIM: publishes what is given. */
extern const struct am_module given_module;

#endif
