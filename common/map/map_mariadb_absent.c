#include "common/map/map_internal.h"

/* Stands for map_mariadb.c where the library is not there. */
const struct am_map_driver am_map_mariadb = {.missing = "libmariadb"};
