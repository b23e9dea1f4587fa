#ifndef AR_REGISTRY_H
#define AR_REGISTRY_H

#include "authres/authres.h"

/* A ptype of the "Email Authentication Property Types" registry. */
struct ar_registered_ptype {
    const char *ptype;
    const char *source;
    enum ar_registration state;
};

/* The methods in alphabetical order, and how many they are. */
extern const struct ar_registered_method ar_registry_methods[];
extern const size_t ar_registry_method_count;

/* The ptypes in alphabetical order, and how many they are. */
extern const struct ar_registered_ptype ar_registry_ptypes[];
extern const size_t ar_registry_ptype_count;

#endif
