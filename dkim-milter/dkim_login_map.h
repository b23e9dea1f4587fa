#ifndef DKIM_DKIM_LOGIN_MAP_H
#define DKIM_DKIM_LOGIN_MAP_H

#include "dkim-milter/dkim_login.h"

/* What the map holds about a login. */
enum dkim_login_answer {
    DKIM_LOGIN_ALLOWED,
    DKIM_LOGIN_DENIED,  /* it has rows, none of them with this address */
    DKIM_LOGIN_UNKNOWN, /* neither it nor `*` has a row */
};

/* Asks; `request->map` is there. */
enum dkim_login_answer dkim_login_map_ask(const struct dkim_login_request *request);

/* Returns the path the map was read from. */
const char *dkim_login_map_path(const struct dkim_login_map *map);

#endif
