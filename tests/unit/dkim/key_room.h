#ifndef TESTS_UNIT_DKIM_KEY_ROOM_H
#define TESTS_UNIT_DKIM_KEY_ROOM_H

#include <stdbool.h>
#include <sys/types.h>

#include "dkim-milter/dkim_keys.h"

/* A folder for one test, with what key tests put into it. */
extern char key_room[64];

/* Makes the folder, and removes it with all in it. cmocka's set-up and tear-down. */
int key_room_open(void **state);
int key_room_close(void **state);

/* Returns the full path of a name in the folder; one of a few buffers that take turns. */
const char *key_room_path(const char *name);

/* Writes a file, replacing one. */
void key_room_put(const char *name, const char *text, mode_t mode);

/* Makes a folder. */
void key_room_folder(const char *name, mode_t mode);

/* Writes an Ed25519 key file; each number gives another key. */
void key_room_key(const char *name, unsigned number);

/* Opens keys from files of the folder (NULL: none) in an arena that lives until the next one. */
struct dkim_keys *key_room_keys(const char *directory, const char *key_table,
                                const char *signing_table, struct am_problem *problem);

/* Returns the names of the keys for an address, with blanks between them: "a b"; "" for none. */
const char *key_room_find(const struct dkim_keys *keys, const char *address);

/* Returns why, after key_room_find(). */
extern struct dkim_keys_choice key_room_choice;

/* Returns the number of warnings; tells whether one of them holds a text. */
unsigned key_room_warnings(const struct dkim_keys *keys);
bool key_room_warned(const struct dkim_keys *keys, const char *text);

/* Paths asked to be watched by the last key_room_keys(), with LF after each; writes with a "+". */
extern struct am_buf key_room_watched;

#endif
