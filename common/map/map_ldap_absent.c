#include "common/map/map_internal.h"

/* Stands for map_ldap.c where the library is not there. */
const struct am_map_driver am_map_ldap = {.missing = "libldap"};
