#ifndef DMARC_PLACE_H
#define DMARC_PLACE_H

#include <limits.h>

#include "common/base/problem.h"

/*
 * Where rows of aggregate reports are kept, as one text says it:
 *
 *     /var/lib/authmilter/dmarc.db                       an SQLite file
 *     redis://127.0.0.1:6379/authmilter:dmarc            a stream of a Redis or Valkey server
 *     redis+unix:///run/redis.sock?stream=authmilter:dmarc
 *
 * Behind "?", joined by "&": stream=NAME, user=NAME, password_file=PATH.
 */
struct dmarc_place {
    bool is_redis;
    char path[PATH_MAX]; /* of the file, or of the server's socket; "": over TCP */
    char host[256];
    int port;
    char stream[129];
    char user[129];               /* "" = none */
    char password_file[PATH_MAX]; /* "" = none; the first line is the password */
};

/* Reads the text. Returns false with a sentence. Pure: no files, no network. */
bool dmarc_place_parse(struct dmarc_place *place, const char *text, struct am_problem *problem);

/* Judges the text: the check of an option row. "" is allowed: nothing is kept. */
bool dmarc_place_check(const char *value, struct am_problem *problem);

#endif
