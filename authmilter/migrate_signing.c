#include <stdlib.h>
#include <string.h>

#include "authmilter/migrate_keys.h"
#include "dkim-milter/dkim_signing_table.h"

/*
 * Who signs. There the first row that fits decides (or all rows do), here the most specific one:
 * rows that an earlier one hides are left out, and where rows overlap a more specific one is added.
 */

struct rule {
    const char *glob; /* in lower case, held against user@domain */
    const char *keys; /* names of ours, with commas between them */
    size_t line, order;
    int rank;    /* of a plain file: how late it is asked */
    bool hidden; /* an earlier row fits whatever it fits */
};

struct rules {
    struct rule *items;
    size_t count, capacity;
    bool patterns, all; /* refile:; MultipleSignatures */
};

static char *lower(struct am_arena *arena, const char *text)
{
    char *copy = am_arena_copy(arena, am_span_str(text));

    for (char *c = copy; c != NULL && *c != '\0'; c++)
        *c = am_lower(*c);
    return copy;
}

/* Writes a key of a plain file as a glob, and when it is asked. */
static const char *glob_of_key(struct am_arena *arena, const char *key, int *rank)
{
    const char *at = strrchr(key, '@');

    *rank = 0;
    if (strcmp(key, "*") == 0 || strcmp(key, "%") == 0) {
        *rank = 5;
        return "*";
    }
    if (at == NULL) {
        *rank = key[0] == '.' ? 3 : 1;
        return am_arena_printf(arena, "*@%s%s", key[0] == '.' ? "*" : "", key);
    }
    if (strcmp(at, "@*") == 0)
        *rank = 4;
    if (at[1] != '.')
        return key;
    *rank = 2;
    return am_arena_printf(arena, "%.*s@*%s", (int)(at - key), key, at + 1);
}

/* Returns the domain that all addresses have that a glob fits, or NULL. */
static const char *domain_of(const char *glob)
{
    const char *at = strrchr(glob, '@');

    return at == NULL || at[1] == '\0' || strchr(at, '*') != NULL ? NULL : at + 1;
}

static bool add_rule(struct rules *rules, struct am_arena *arena, const struct rule *rule)
{
    if (rules->count == rules->capacity) {
        size_t capacity = rules->capacity == 0 ? 64 : rules->capacity * 2;
        struct rule *items = am_arena_alloc(arena, capacity * sizeof(*items));
        if (items == NULL)
            return false;
        if (rules->count > 0)
            memcpy(items, rules->items, rules->count * sizeof(*items));
        rules->items = items;
        rules->capacity = capacity;
    }
    rules->items[rules->count++] = *rule;
    return rule->glob != NULL && rule->keys != NULL;
}

/* Splits "KEY:SIGNER", and says so when a signer cannot be kept. */
static const char *take_signer(struct migrate *migrate, const struct migrate_line *line,
                               const struct migrate_row *row, const char *domain, char **key)
{
    *key = am_arena_copy(migrate->arena, am_span_str(row->value));
    char *signer = *key == NULL ? NULL : strchr(*key, ':');

    if (signer == NULL)
        return NULL;
    *signer++ = '\0';
    if (strchr(signer, '%') == NULL && strchr(signer, '@') != NULL &&
        strpbrk(signer, " \t,") == NULL)
        return signer;
    if (strcmp(signer, "%") == 0 && domain != NULL)
        return am_arena_printf(migrate->arena, "@%s", domain);
    migrate_say(migrate, MIGRATE_NONE, line, "row %zu: the signer \"%s\" (i=) is left out",
                row->line, signer);
    return NULL;
}

static bool read_row(struct migrate *migrate, const struct migrate_line *line, struct rules *rules,
                     struct migrate_keys *keys, const struct migrate_row *row)
{
    struct rule rule = {.line = row->line, .order = rules->count};
    const char *text = lower(migrate->arena, row->key);
    char *origin;

    if (text == NULL)
        return false;
    rule.glob = rules->patterns ? text : glob_of_key(migrate->arena, text, &rule.rank);
    if (rule.glob == NULL)
        return false;
    if (rules->patterns && strchr(text, '@') == NULL && text[0] != '*') {
        if (strchr(text, '*') == NULL) {
            migrate_say(migrate, MIGRATE_SAME, line, "row %zu, %s: it never fits an address",
                        row->line, text);
            return true;
        }
        migrate_say(migrate, MIGRATE_CHANGED, line,
                    "row %zu, %s: held against the part before the @ only", row->line, text);
        rule.glob = am_arena_printf(migrate->arena, "%s@*", text);
        if (rule.glob == NULL)
            return false;
    }
    const char *domain = domain_of(rule.glob);
    const char *signer = take_signer(migrate, line, row, domain, &origin);
    if (origin == NULL)
        return false;
    rule.keys = migrate_keys_resolve(migrate, keys, origin, domain, signer);
    if (*rule.keys != '\0')
        return add_rule(rules, migrate->arena, &rule);
    migrate_say(migrate, MIGRATE_MEND, line, "row %zu, %s: there is no key %s; it was left out",
                row->line, row->key, origin);
    return true;
}

/* In the order in which a plain file is asked: the longer of two domains first. */
static int compare_rules(const void *a, const void *b)
{
    const struct rule *x = a, *y = b;
    size_t x_len = strlen(x->glob), y_len = strlen(y->glob);

    if (x->rank != y->rank)
        return x->rank < y->rank ? -1 : 1;
    if ((x->rank == 2 || x->rank == 3) && x_len != y_len)
        return x_len > y_len ? -1 : 1;
    return x->order < y->order ? -1 : x->order > y->order;
}

/* Tells whether a glob fits all that another one fits. */
static bool contains(const struct rule *wide, const struct rule *rule)
{
    return dkim_glob_fits(am_span_str(wide->glob), am_span_str(rule->glob));
}

static const char *join_keys(struct am_arena *arena, const char *a, const char *b)
{
    struct am_buf out;

    am_buf_init(&out, 0);
    am_buf_add_str(&out, a);
    for (size_t len; *b != '\0'; b += len + (b[len] == ',')) {
        len = strcspn(b, ",");
        const char *text = am_buf_str(&out), *at = text;
        bool there = false;

        for (; *at != '\0' && !there; at += strcspn(at, ",") + (at[strcspn(at, ",")] == ','))
            there = strcspn(at, ",") == len && strncmp(at, b, len) == 0;
        if (!there) {
            am_buf_add_char(&out, ',');
            am_buf_add(&out, am_span_of(b, len));
        }
    }
    const char *joined = out.failed ? NULL : am_arena_copy(arena, am_buf_span(&out));
    am_buf_fini(&out);
    return joined == NULL ? a : joined;
}

/* Returns row number `index` of the wide ones: those that can fit what other rows fit. */
static bool is_wide(const struct rule *rule)
{
    return strchr(rule->glob, '*') != NULL;
}

/* Adds "user@domain" where a row for a user in many domains comes before the row of one domain. */
static bool add_overlap(struct migrate *migrate, const struct migrate_line *line,
                        struct rules *rules, size_t wide, size_t narrow)
{
    const char *glob = rules->items[wide].glob, *at = strrchr(glob, '@');
    const char *domain = domain_of(rules->items[narrow].glob);

    if (at == NULL || domain == NULL || strncmp(rules->items[narrow].glob, "*@", 2) != 0 ||
        !dkim_glob_fits(am_span_str(at + 1), am_span_str(domain)))
        return true;
    if (memchr(glob, '*', (size_t)(at - glob)) != NULL) {
        migrate_say(migrate, MIGRATE_CHANGED, line,
                    "rows %zu and %zu may fit the same address: here %s decides then",
                    rules->items[wide].line, rules->items[narrow].line, rules->items[narrow].glob);
        return true;
    }
    struct rule rule = {
        .glob = am_arena_printf(migrate->arena, "%.*s@%s", (int)(at - glob), glob, domain),
        .keys = rules->items[wide].keys,
        .line = rules->items[wide].line};
    if (rules->all)
        rule.keys = join_keys(migrate->arena, rule.keys, rules->items[narrow].keys);
    return add_rule(rules, migrate->arena, &rule);
}

/* Settles row `i` against the wide rows; `wide` holds their numbers in order. */
static bool settle(struct migrate *migrate, const struct migrate_line *line, struct rules *rules,
                   size_t i, const size_t *wide, size_t wide_count)
{
    for (size_t w = 0; w < wide_count; w++) {
        size_t k = wide[w];

        if (k == i || rules->items[k].hidden || (!rules->all && k > i))
            continue;
        if (!contains(&rules->items[k], &rules->items[i])) {
            if (!contains(&rules->items[i], &rules->items[k]) &&
                !add_overlap(migrate, line, rules, k, i))
                return false;
            continue;
        }
        if (rules->all) {
            rules->items[i].keys =
                join_keys(migrate->arena, rules->items[i].keys, rules->items[k].keys);
            continue;
        }
        rules->items[i].hidden = true;
        migrate_say(migrate, MIGRATE_SAME, line,
                    "row %zu is never asked: row %zu before it fits whatever it fits",
                    rules->items[i].line, rules->items[k].line);
        return true;
    }
    return true;
}

static bool settle_all(struct migrate *migrate, const struct migrate_line *line,
                       struct rules *rules)
{
    size_t *wide = am_arena_alloc(migrate->arena, (rules->count + 1) * sizeof(*wide));
    size_t wide_count = 0, count = rules->count;

    if (wide == NULL)
        return false;
    for (size_t i = 0; i < count; i++)
        if (is_wide(&rules->items[i]))
            wide[wide_count++] = i;
    for (size_t i = 0; i < count; i++)
        if (!settle(migrate, line, rules, i, wide, wide_count))
            return false;
    return true;
}

static void write_rules(struct migrate *migrate, const struct migrate_line *line,
                        const struct rules *rules, struct am_buf *out)
{
    am_buf_add_str(out, "# PATTERN\tKEYNAMES\n");
    for (size_t i = 0; i < rules->count; i++) {
        const struct rule *rule = &rules->items[i];
        size_t keys = 1;

        if (rule->hidden)
            continue;
        for (const char *c = rule->keys; *c != '\0'; c++)
            keys += *c == ',';
        if (keys > DKIM_KEYS_PER_MESSAGE_MAX)
            migrate_say(migrate, MIGRATE_MEND, line, "%s has %zu keys; %d at most sign one message",
                        rule->glob, keys, DKIM_KEYS_PER_MESSAGE_MAX);
        am_buf_printf(out, "%s\t%s\n", strcmp(rule->glob, "*@*") == 0 ? "*" : rule->glob,
                      rule->keys);
    }
}

/* Sets the two options and begins the files. */
static void write_tables(struct migrate *migrate, struct migrate_keys *keys, struct rules *rules,
                         const struct migrate_line *line)
{
    struct am_buf *text = migrate_file_add(&migrate->output, "key.table");
    struct am_arena *arena = migrate->arena;
    const char *path = am_arena_printf(arena, "%s/key.table", migrate->target);

    if (text == NULL || path == NULL || !settle_all(migrate, line, rules)) {
        migrate->findings.lost = true;
        return;
    }
    migrate_keys_write(migrate, keys, text);
    migrate_set_text(&migrate->output, arena, "dkim", "key_table", path);
    text = migrate_file_add(&migrate->output, "signing.table");
    path = am_arena_printf(arena, "%s/signing.table", migrate->target);
    if (text == NULL || path == NULL) {
        migrate->findings.lost = true;
        return;
    }
    write_rules(migrate, line, rules, text);
    migrate_set_text(&migrate->output, arena, "dkim", "signing_table", path);
}

/* --- one key for all --- */

static void add_single(struct migrate *migrate, struct migrate_keys *keys, const char *file_option,
                       const char *selector_option, const char *name)
{
    const struct migrate_line *file = migrate_line_find(migrate, file_option);
    const char *selector = migrate_value(migrate, selector_option);

    if (file == NULL)
        return;
    struct migrate_key key = {.origin = "default",
                              .name = name,
                              .domain = "%",
                              .selector = selector,
                              .path = migrate_path(migrate, file->value),
                              .line = file};
    if (selector == NULL || key.path == NULL || strpbrk(key.path, " \t") != NULL)
        migrate_say(migrate, MIGRATE_MEND, file,
                    "%s and the full path of a key without blanks are needed to sign",
                    selector_option);
    else if (!migrate_key_add(migrate, keys, &key))
        migrate->findings.lost = true;
    else
        migrate_say(migrate, MIGRATE_TRANSLATED, file, "a row of dkim.key_table");
}

/* The keys under another name, for one domain whatever the address is. */
static const char *keys_of_domain(struct migrate *migrate, struct migrate_keys *keys,
                                  const char *domain)
{
    const char *names = "";

    for (size_t i = 0, count = keys->count; i < count && names != NULL; i++) {
        struct migrate_key key = keys->items[i];

        if (strcmp(key.domain, "%") != 0)
            continue;
        key.domain = domain;
        key.origin = domain;
        key.told = true;
        key.name = am_arena_printf(migrate->arena, "%s-%s", keys->items[i].name, domain);
        if (!migrate_key_add(migrate, keys, &key))
            return "";
        names =
            am_arena_printf(migrate->arena, "%s%s%s", names, *names == '\0' ? "" : ",", key.name);
    }
    return names == NULL ? "" : names;
}

static void add_domains(struct migrate *migrate, struct migrate_keys *keys, struct rules *rules,
                        const struct migrate_line *line)
{
    const char *sub_domains = migrate_value(migrate, "SubDomains");
    struct migrate_set_rows set;

    if (!migrate_set_read(migrate, line, &set))
        return;
    for (size_t i = 0; i < set.count; i++) {
        const char *domain = lower(migrate->arena, set.rows[i].key);
        const char *names = migrate_keys_resolve(migrate, keys, "default", NULL, NULL);
        struct rule rule = {.line = set.rows[i].line, .order = rules->count, .keys = names};

        if (domain == NULL)
            return;
        rule.glob =
            strcmp(domain, "*") == 0 ? "*" : am_arena_printf(migrate->arena, "*@%s", domain);
        if (*names != '\0' && !add_rule(rules, migrate->arena, &rule))
            migrate->findings.lost = true;
        if (sub_domains == NULL || !migrate_is_yes(sub_domains) || strchr(domain, '*') != NULL)
            continue;
        rule.rank = 3;
        rule.glob = am_arena_printf(migrate->arena, "*@*.%s", domain);
        rule.keys = keys_of_domain(migrate, keys, domain);
        if (*rule.keys != '\0' && !add_rule(rules, migrate->arena, &rule))
            migrate->findings.lost = true;
    }
    migrate_say(migrate, MIGRATE_TRANSLATED, line, "rows of dkim.signing_table");
}

void migrate_signing_write(struct migrate *migrate)
{
    const struct migrate_line *table = migrate_line_find(migrate, "KeyTable");
    const struct migrate_line *ed25519 = migrate_line_find(migrate, "KeyTableEd25519");
    const struct migrate_line *signing = migrate_line_find(migrate, "SigningTable");
    const struct migrate_line *domain = migrate_line_find(migrate, "Domain");
    const char *multiple = migrate_value(migrate, "MultipleSignatures");
    struct migrate_keys keys = {0};
    struct rules rules = {.all = multiple != NULL && migrate_is_yes(multiple)};
    struct migrate_set_rows set;

    if (table != NULL)
        migrate_keys_read(migrate, &keys, table, "");
    if (ed25519 != NULL)
        migrate_keys_read(migrate, &keys, ed25519, "-ed25519");
    if (table == NULL && ed25519 == NULL) {
        add_single(migrate, &keys, "KeyFile", "Selector", "default");
        add_single(migrate, &keys, "KeyFileEd25519", "SelectorEd25519", "default-ed25519");
        if (domain != NULL)
            add_domains(migrate, &keys, &rules, domain);
        signing = domain;
    } else if (signing != NULL && migrate_set_read(migrate, signing, &set)) {
        rules.patterns = set.patterns;
        for (size_t i = 0; i < set.count; i++)
            if (!read_row(migrate, signing, &rules, &keys, &set.rows[i]))
                migrate->findings.lost = true;
        migrate_say(migrate, MIGRATE_TRANSLATED, signing, "dkim.signing_table, %zu rows",
                    set.count);
    }
    if (!rules.patterns && rules.count > 1)
        qsort(rules.items, rules.count, sizeof(*rules.items), compare_rules);
    if (rules.count > 0)
        write_tables(migrate, &keys, &rules, signing);
    else if (keys.count > 0)
        migrate_say(migrate, MIGRATE_MEND, signing, "nothing says who signs with the keys");
}
