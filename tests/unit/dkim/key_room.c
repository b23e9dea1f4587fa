#include "tests/unit/dkim/key_room.h"

#include <ftw.h>
#include <limits.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

char key_room[64];
struct dkim_keys_choice key_room_choice;
struct am_buf key_room_watched;
static struct am_arena *keys_arena, *find_arena;

int key_room_open(void **state)
{
    (void)state;
    umask(022);
    strcpy(key_room, "/tmp/test_dkim_keys.XXXXXX");
    am_buf_init(&key_room_watched, 0);
    keys_arena = am_arena_new(64, 0);
    find_arena = am_arena_new(4096, 0);
    return mkdtemp(key_room) == NULL || keys_arena == NULL || find_arena == NULL;
}

static int remove_one(const char *path, const struct stat *info, int kind, struct FTW *ftw)
{
    (void)info;
    (void)kind;
    (void)ftw;
    return remove(path);
}

int key_room_close(void **state)
{
    (void)state;
    am_arena_free(keys_arena);
    am_arena_free(find_arena);
    am_buf_fini(&key_room_watched);
    return nftw(key_room, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

const char *key_room_path(const char *name)
{
    static char paths[8][PATH_MAX];
    static unsigned turn;
    char *path = paths[turn++ % 8];
    snprintf(path, PATH_MAX, "%s/%s", key_room, name);
    return path;
}

void key_room_put(const char *name, const char *text, mode_t mode)
{
    const char *path = key_room_path(name);
    (void)unlink(path);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chmod(path, mode), 0);
}

void key_room_folder(const char *name, mode_t mode)
{
    const char *path = key_room_path(name);
    assert_int_equal(mkdir(path, 0700), 0);
    assert_int_equal(chmod(path, mode), 0);
}

void key_room_key(const char *name, unsigned number)
{
    /* 32 octets in base 64, as dkimpy writes them: 43 digits and a sign. */
    char text[46];
    snprintf(text, sizeof(text), "%042uA=\n", number);
    key_room_put(name, text, 0600);
}

static bool watch(void *user, const char *path)
{
    (void)user;
    am_buf_printf(&key_room_watched, "%s\n", path);
    return true;
}

static bool watch_writes(void *user, const char *path)
{
    (void)user;
    am_buf_printf(&key_room_watched, "+%s\n", path);
    return true;
}

struct dkim_keys *key_room_keys(const char *directory, const char *key_table,
                                const char *signing_table, struct am_problem *problem)
{
    static struct dkim_keys_env env;
    struct dkim_keys_source source = {
        directory == NULL ? "" : key_room_path(directory),
        key_table == NULL ? "" : key_table,
        signing_table == NULL ? "" : signing_table,
    };
    am_arena_reset(keys_arena);
    am_buf_clear(&key_room_watched);
    env = (struct dkim_keys_env){.arena = keys_arena, .watch = watch, .watch_writes = watch_writes};
    return dkim_keys_open(&source, &env, problem);
}

const char *key_room_find(const struct dkim_keys *keys, const char *text)
{
    static char names[1024];
    struct am_address address;
    am_arena_reset(find_arena);
    assert_true(am_address_parse(&address, am_span_str(text)));
    dkim_keys_find(keys, find_arena, &address, &key_room_choice);
    names[0] = '\0';
    for (size_t i = 0; i < key_room_choice.count; i++) {
        strcat(names, i == 0 ? "" : " ");
        strcat(names, key_room_choice.keys[i]->name);
    }
    return names;
}

unsigned key_room_warnings(const struct dkim_keys *keys)
{
    unsigned count = 0;
    for (const struct dkim_keys_warning *w = dkim_keys_warnings(keys); w != NULL; w = w->next)
        count++;
    return count;
}

bool key_room_warned(const struct dkim_keys *keys, const char *text)
{
    for (const struct dkim_keys_warning *w = dkim_keys_warnings(keys); w != NULL; w = w->next)
        if (strstr(w->sentence, text) != NULL)
            return true;
    return false;
}
