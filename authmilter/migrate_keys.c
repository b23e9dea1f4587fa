#include "authmilter/migrate_keys.h"

#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "dkim-milter/dkim_key_path.h"

bool migrate_key_add(struct migrate *migrate, struct migrate_keys *keys,
                     const struct migrate_key *key)
{
    if (keys->count == keys->capacity) {
        size_t capacity = keys->capacity == 0 ? 64 : keys->capacity * 2;
        struct migrate_key *items = am_arena_alloc(migrate->arena, capacity * sizeof(*items));
        if (items == NULL)
            return false;
        if (keys->count > 0)
            memcpy(items, keys->items, keys->count * sizeof(*items));
        keys->items = items;
        keys->capacity = capacity;
    }
    keys->items[keys->count++] = *key;
    return key->name != NULL && key->path != NULL;
}

/* A name of our tables: no commas, quotes or comments. */
static const char *clean_name(struct am_arena *arena, const char *name, const char *suffix)
{
    char *copy = am_arena_printf(arena, "%s%s", name, suffix);

    for (char *c = copy; c != NULL && *c != '\0'; c++)
        if (*c == ',' || *c == '#')
            *c = '_';
    return copy;
}

/* Tells whether a word can stand in our table: a blank or comment sign would end it. */
static bool is_word(const char *text)
{
    if (*text == '\0' || *text == '#')
        return false;
    for (; *text != '\0'; text++)
        if ((unsigned char)*text <= ' ' || *text == 0x7f)
            return false;
    return true;
}

static bool read_key(struct migrate *migrate, const struct migrate_line *line,
                     const struct migrate_row *row, struct migrate_key *key)
{
    char *text = am_arena_copy(migrate->arena, am_span_str(row->value));
    char *selector = text == NULL ? NULL : strchr(text, ':');
    char *path = selector == NULL ? NULL : strchr(selector + 1, ':');

    if (path == NULL) {
        migrate_say(migrate, MIGRATE_MEND, line,
                    "row %zu, %s: a row is NAME DOMAIN:SELECTOR:FILE; it was left out", row->line,
                    row->key);
        return false;
    }
    *selector++ = '\0';
    *path++ = '\0';
    if (path[0] != '/' && strncmp(path, "./", 2) != 0 && strncmp(path, "../", 3) != 0) {
        migrate_say(migrate, MIGRATE_NONE, line,
                    "row %zu, %s: the key itself stands in the table; put it into a file of its "
                    "own and name that. It was left out",
                    row->line, row->key);
        return false;
    }
    key->domain = text;
    key->selector = selector;
    key->path = migrate_path(migrate, path);
    key->path_varies = strchr(path, '%') != NULL;
    if (key->path != NULL && is_word(key->path) && is_word(key->domain) && is_word(selector))
        return true;
    migrate_say(migrate, MIGRATE_MEND, line,
                "row %zu, %s: the path of the key is not a full one, or a word has a blank in it; "
                "it was left out",
                row->line, row->key);
    return false;
}

void migrate_keys_read(struct migrate *migrate, struct migrate_keys *keys,
                       const struct migrate_line *line, const char *suffix)
{
    struct migrate_set_rows set;

    if (!migrate_set_read(migrate, line, &set))
        return;
    for (size_t i = 0; i < set.count; i++) {
        struct migrate_key key = {.origin = set.rows[i].key,
                                  .name = clean_name(migrate->arena, set.rows[i].key, suffix),
                                  .line = line};

        if (read_key(migrate, line, &set.rows[i], &key) && !migrate_key_add(migrate, keys, &key))
            migrate->findings.lost = true;
    }
    migrate_say(migrate, MIGRATE_TRANSLATED, line, "dkim.key_table, %zu rows", set.count);
}

/* Puts the domain in place of each %. */
static const char *fill_path(struct am_arena *arena, const char *path, const char *domain)
{
    struct am_buf out;

    am_buf_init(&out, 0);
    for (; *path != '\0'; path++) {
        if (*path == '%')
            am_buf_add_str(&out, domain);
        else
            am_buf_add_char(&out, *path);
    }
    const char *copy = out.failed ? NULL : am_arena_copy(arena, am_buf_span(&out));
    am_buf_fini(&out);
    return copy;
}

static const struct migrate_key *find_name(const struct migrate_keys *keys, const char *name)
{
    for (size_t i = 0; i < keys->count; i++)
        if (strcmp(keys->items[i].name, name) == 0)
            return &keys->items[i];
    return NULL;
}

/* Returns the name of a key for one domain and signer, made when it is not there yet; NULL: none.
 */
static const char *special_key(struct migrate *migrate, struct migrate_keys *keys, size_t index,
                               const char *domain, const char *signer)
{
    struct migrate_key key = keys->items[index];
    struct am_arena *arena = migrate->arena;

    if (key.path_varies && domain == NULL) {
        migrate_say(migrate, MIGRATE_MEND, key.line,
                    "%s: its path depends on the domain (%%), and the pattern is for several: "
                    "write a row for each domain",
                    key.origin);
        return NULL;
    }
    if (key.path_varies) {
        key.path = fill_path(arena, key.path, domain);
        key.name = am_arena_printf(arena, "%s-%s", key.name, domain);
        key.path_varies = false;
    }
    if (signer != NULL) {
        if (strcmp(key.domain, "%") == 0 && domain != NULL)
            key.domain = domain;
        key.name = am_arena_printf(arena, "%s(%s)", key.name, signer);
    }
    if (key.name == NULL || find_name(keys, key.name) != NULL)
        return key.name;
    key.told = false;
    if (signer != NULL)
        key.selector =
            am_arena_printf(arena, "%s\t%s\tidentity=%s", key.selector, key.path, signer);
    return migrate_key_add(migrate, keys, &key) ? key.name : NULL;
}

const char *migrate_keys_resolve(struct migrate *migrate, struct migrate_keys *keys,
                                 const char *origin, const char *domain, const char *signer)
{
    const char *names = "";

    for (size_t i = 0, count = keys->count; i < count; i++) {
        const struct migrate_key *key = &keys->items[i];

        if (strcmp(key->origin, origin) != 0 || strchr(key->selector, '\t') != NULL ||
            (strchr(key->path, '%') == NULL && key->path_varies))
            continue;
        const char *name = key->path_varies || signer != NULL
                               ? special_key(migrate, keys, i, domain, signer)
                               : key->name;
        if (name != NULL && names != NULL)
            names =
                am_arena_printf(migrate->arena, "%s%s%s", names, *names == '\0' ? "" : ",", name);
    }
    return names == NULL ? "" : names;
}

/* Says what keeps the program from reading a key. */
static void judge(struct migrate *migrate, const struct migrate_key *key,
                  const struct dkim_key_reader *reader)
{
    struct am_problem problem;
    struct stat info;
    int fd = dkim_key_path_open(key->path, reader, &info, &problem);

    if (fd < 0)
        migrate_say(migrate, MIGRATE_MEND, key->line, "%s", problem.text);
    else
        close(fd);
}

void migrate_keys_write(struct migrate *migrate, struct migrate_keys *keys, struct am_buf *out)
{
    struct dkim_key_reader reader;
    struct am_problem problem;
    bool knows = dkim_key_reader_find(&reader, migrate->user, "", &problem);

    if (!knows)
        migrate_say(migrate, MIGRATE_MEND, NULL, "%s", problem.text);
    am_buf_add_str(out, "# NAME\tDOMAIN\tSELECTOR\tKEYFILE\n");
    for (size_t i = 0; i < keys->count; i++) {
        struct migrate_key *key = &keys->items[i];

        if (key->path_varies)
            continue;
        /* A key with an identity brings its path and option along. */
        if (strchr(key->selector, '\t') != NULL) {
            am_buf_printf(out, "%s\t%s\t%s\n", key->name, key->domain, key->selector);
            continue;
        }
        am_buf_printf(out, "%s\t%s\t%s\t%s\n", key->name, key->domain, key->selector, key->path);
        if (knows && !key->told)
            judge(migrate, key, &reader);
    }
}
