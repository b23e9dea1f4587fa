#ifndef AM_MILTER_LISTENER_H
#define AM_MILTER_LISTENER_H

#include "common/base/config.h"
#include "common/milter/module.h"

/*
 * Where MTAs connect: milter.socket, and the repeated sections `listener`, each with a role. What
 * they say is in force from the start of the program to its end.
 */

/* Most sockets of a program. */
#define AM_LISTENERS_MAX 16

/* A section `listener`, and the same of section milter. */
struct am_listener {
    const char *name;   /* the section's title; "" for milter.socket */
    const char *socket; /* as am_listen_parse() takes it */
    const char *socket_owner, *socket_group;
    int64_t socket_mode;
    int role; /* enum am_role */
};

extern const struct am_section am_listener_section;

/* The words of a role, for option rows. */
extern const struct am_choice am_role_words[];

/*
 * Judges the sections: each has a title and a socket, no two have the same, nor that of
 * milter.control_socket, and libmilter has one. Returns false with a sentence.
 */
bool am_listeners_check(const struct am_config *config, struct am_problem *problem);

/*
 * Lists the sockets of a program: milter.socket, unless it is empty and there are sections.
 *
 * usual: what an empty milter.socket stands for. Returns: how many.
 * Ownership: points into the configuration.
 */
size_t am_listeners_of(const struct am_config *config, const char *usual,
                       struct am_listener out[AM_LISTENERS_MAX]);

/* Tells whether two configurations have the same sections. */
bool am_listeners_are_equal(const struct am_config *a, const struct am_config *b);

#endif
