#include <string.h>
#include <strings.h>

#include "authmilter/migrate_set.h"
#include "dkim-milter/dkim_sign.h"
#include "dkim-milter/dkim_sign_names.h"

/* Which fields are signed: the difference between what the other program signs and what we do. */

#define NAMES_MAX 500

struct names {
    const char *items[NAMES_MAX];
    size_t count;
};

/* What RFC 6376 section 5.4.1 has signed, as OpenDKIM reads it. */
static const char *const usual[] = {"From",      "Reply-To",   "Subject",          "Date",
                                    "To",        "Cc",         "Resent-Date",      "Resent-From",
                                    "Resent-To", "Resent-Cc",  "In-Reply-To",      "References",
                                    "List-Id",   "List-Help",  "List-Unsubscribe", "List-Subscribe",
                                    "List-Post", "List-Owner", "List-Archive"};

/* What dkimpy signs; it adds one From more than there is, unless the fields are named. */
static const char *const usual_of_dkimpy[] = {"From",
                                              "Sender",
                                              "Reply-To",
                                              "Subject",
                                              "Date",
                                              "Message-ID",
                                              "To",
                                              "Cc",
                                              "MIME-Version",
                                              "Content-Type",
                                              "Content-Transfer-Encoding",
                                              "Content-ID",
                                              "Content-Description",
                                              "Resent-Date",
                                              "Resent-From",
                                              "Resent-Sender",
                                              "Resent-To",
                                              "Resent-Cc",
                                              "Resent-Message-ID",
                                              "In-Reply-To",
                                              "References",
                                              "List-Id",
                                              "List-Help",
                                              "List-Unsubscribe",
                                              "List-Subscribe",
                                              "List-Post",
                                              "List-Owner",
                                              "List-Archive"};
static const char *const over_of_dkimpy[] = {"From"};

static const char *const omitted[] = {"Return-Path", "Received",   "Comments",      "Keywords",
                                      "Bcc",         "Resent-Bcc", "DKIM-Signature"};

static bool holds(const struct names *names, const char *name)
{
    for (size_t i = 0; i < names->count; i++)
        if (strcasecmp(names->items[i], name) == 0)
            return true;
    return false;
}

static void put(struct names *names, const char *name)
{
    if (!holds(names, name) && names->count < NAMES_MAX)
        names->items[names->count++] = name;
}

static void drop(struct names *names, const char *name)
{
    size_t kept = 0;

    for (size_t i = 0; i < names->count; i++)
        if (strcasecmp(names->items[i], name) != 0)
            names->items[kept++] = names->items[i];
    names->count = kept;
}

static void put_all(struct names *names, const char *const *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        put(names, list[i]);
}

static bool is_field_name(const char *name)
{
    const char *end = name;

    while (*end > ' ' && *end <= '~' && *end != ':' && *end != ';')
        end++;
    return *name != '\0' && *end == '\0';
}

/* Reads a list that may be a change of the default one: "*,+Name,-Name". */
static void read_list(struct migrate *migrate, const char *option, struct names *names,
                      const char *const *defaults, size_t default_count)
{
    const struct migrate_line *line = migrate_line_find(migrate, option);
    struct migrate_set_rows set = {.rows = NULL};
    bool is_change = line == NULL;

    if (line != NULL && !migrate_set_read(migrate, line, &set))
        is_change = true;
    for (size_t i = 0; i < set.count; i++)
        is_change = is_change || strcmp(set.rows[i].key, "*") == 0;
    if (is_change)
        put_all(names, defaults, default_count);
    for (size_t i = 0; i < set.count; i++) {
        const char *key = set.rows[i].key;
        const char *name = key + (*key == '+' || *key == '-');

        if (strcmp(key, "*") == 0 || strcmp(key, ".") == 0)
            continue;
        if (!is_field_name(name))
            migrate_say(migrate, MIGRATE_MEND, line, "\"%s\" is no name of a field", key);
        else if (*key == '-')
            drop(names, name);
        else
            put(names, name);
    }
    if (line != NULL)
        migrate_say(migrate, MIGRATE_TRANSLATED, line,
                    strcmp(option, "OversignHeaders") == 0
                        ? "dkim.oversign_headers, as changes of our list"
                        : "dkim.sign_headers, as changes of our list");
}

static void change(struct migrate *migrate, const char *option, char sign, const char *name)
{
    const char *text = am_arena_printf(migrate->arena, "%c%s", sign, name);

    if (text == NULL)
        migrate->findings.lost = true;
    else
        migrate_add_item(&migrate->output, migrate->arena, "dkim", option, text);
}

#define COUNT(LIST) (sizeof(LIST) / sizeof((LIST)[0]))

static void read_of_opendkim(struct migrate *migrate, struct names *signs, struct names *overs)
{
    struct names omits = {.count = 0};

    read_list(migrate, "SignHeaders", signs, usual, COUNT(usual));
    read_list(migrate, "OmitHeaders", &omits, omitted, COUNT(omitted));
    read_list(migrate, "OversignHeaders", overs, NULL, 0);
    for (size_t i = 0; i < omits.count; i++)
        drop(signs, omits.items[i]);
}

static void read_of_dkimpy(struct migrate *migrate, struct names *signs, struct names *overs)
{
    read_list(migrate, "SignHeaders", signs, usual_of_dkimpy, COUNT(usual_of_dkimpy));
    if (migrate_line_find(migrate, "SignHeaders") == NULL)
        put_all(overs, over_of_dkimpy, COUNT(over_of_dkimpy));
}

void migrate_headers_write(struct migrate *migrate)
{
    struct names signs = {.count = 0}, overs = {.count = 0};
    struct am_problem problem;
    const struct dkim_sign_names *ours = dkim_sign_names_new(migrate->arena, NULL, NULL, &problem);

    if (ours == NULL) {
        migrate->findings.lost = true;
        return;
    }
    if (migrate->from == MIGRATE_OPENDKIM)
        read_of_opendkim(migrate, &signs, &overs);
    else
        read_of_dkimpy(migrate, &signs, &overs);
    put(&signs, "From"); /* always */
    for (size_t i = 0; i < ours->count; i++) {
        const char *name = am_arena_copy(migrate->arena, ours->items[i].name);

        if (name == NULL)
            continue;
        if (!holds(&signs, name) && !holds(&overs, name))
            change(migrate, "sign_headers", '-', name);
        else if (ours->items[i].over && !holds(&overs, name))
            change(migrate, "oversign_headers", '-', name);
        drop(&signs, name);
        if (ours->items[i].over)
            drop(&overs, name);
    }
    for (size_t i = 0; i < signs.count; i++)
        change(migrate, "sign_headers", '+', signs.items[i]);
    for (size_t i = 0; i < overs.count; i++)
        change(migrate, "oversign_headers", '+', overs.items[i]);
}
