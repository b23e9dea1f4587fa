#include "authmilter/migrate.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "authmilter/migrate_set.h"

bool migrate_is_yes(const char *value)
{
    return *value != '\0' && strchr("TtYy1", *value) != NULL;
}

static bool is_no(const char *value)
{
    return strcasecmp(value, "no") == 0 || strcasecmp(value, "false") == 0 ||
           strcmp(value, "0") == 0 || strcasecmp(value, "n") == 0 || strcasecmp(value, "f") == 0 ||
           strcasecmp(value, "none") == 0;
}

void migrate_say(struct migrate *migrate, enum migrate_kind kind, const struct migrate_line *line,
                 const char *format, ...)
{
    va_list args;

    va_start(args, format);
    const char *text = am_arena_vprintf(migrate->arena, format, args);
    va_end(args);
    const struct migrate_finding finding = {.kind = kind,
                                            .file = line == NULL ? migrate->path : line->file,
                                            .line = line == NULL ? 0 : line->number,
                                            .option = line == NULL ? "" : line->name,
                                            .value = line == NULL ? "" : line->value,
                                            .text = text};
    migrate_finding_add(&migrate->findings, migrate->arena, &finding);
}

bool migrate_number(struct migrate *migrate, const struct migrate_line *line, long least, long most,
                    long *out)
{
    char *end;

    errno = 0;
    *out = strtol(line->value, &end, 10);
    if (end == line->value || *end != '\0' || errno != 0) {
        migrate_say(migrate, MIGRATE_MEND, line, "\"%s\" is no number; it was left out",
                    line->value);
        return false;
    }
    if (*out < least || *out > most) {
        *out = *out < least ? least : most;
        migrate_say(migrate, MIGRATE_CHANGED, line, "%ld: %ld to %ld can be set here", *out, least,
                    most);
    }
    return true;
}

static const struct migrate_option *find_option(const struct migrate_option *options,
                                                const char *name)
{
    for (; options->name != NULL; options++)
        if (strcasecmp(options->name, name) == 0)
            return options;
    return NULL;
}

void migrate_options_apply(struct migrate *migrate, const struct migrate_option *options)
{
    for (const struct migrate_line *line = migrate->lines; line != NULL; line = line->next) {
        const struct migrate_option *option = find_option(options, line->name);

        if (option == NULL)
            migrate_say(migrate, MIGRATE_UNKNOWN, line, "no such option is known");
        else if (migrate_line_find(migrate, line->name) != line)
            migrate_say(migrate, MIGRATE_SAME, line, "a later line takes its place");
        else if (option->take != NULL)
            option->take(migrate, line);
        else if (option->kind == MIGRATE_NONE && is_no(line->value))
            migrate_say(migrate, MIGRATE_SAME, line, "it was off");
        else
            migrate_say(migrate, option->kind, line, "%s", option->says);
    }
}

/* --- what several programs have --- */

void migrate_take_socket(struct migrate *migrate, const struct migrate_line *line)
{
    const char *text = line->value;
    struct am_buf plain;

    if (text[0] == '/')
        text = am_arena_printf(migrate->arena, "local:%s", text);
    am_buf_init(&plain, 0);
    /* Literal addresses stand in brackets there and without them here. */
    for (const char *c = text; c != NULL && *c != '\0'; c++)
        if (*c != '[' && *c != ']')
            am_buf_add_char(&plain, *c);
    migrate_set_text(&migrate->output, migrate->arena, "milter", "socket", am_buf_str(&plain));
    am_buf_fini(&plain);
    migrate_say(migrate, MIGRATE_TRANSLATED, line,
                "milter.socket; while the old program runs, give the new one another");
}

void migrate_take_umask(struct migrate *migrate, const struct migrate_line *line)
{
    char *end;
    unsigned long mask = strtoul(line->value, &end, 8);

    if (end == line->value || *end != '\0' || mask > 0777) {
        migrate_say(migrate, MIGRATE_MEND, line, "\"%s\" is no mask; it was left out", line->value);
        return;
    }
    migrate_set(&migrate->output, migrate->arena, "milter", "socket_mode",
                am_arena_printf(migrate->arena, "0%lo", 0666 & ~mask));
    migrate_say(migrate, MIGRATE_TRANSLATED, line, "milter.socket_mode");
}

void migrate_take_pid_file(struct migrate *migrate, const struct migrate_line *line)
{
    migrate_say(migrate, MIGRATE_SAME, line,
                "systemd needs none; milter.pid_file is there for others");
}

void migrate_take_user(struct migrate *migrate, const struct migrate_line *line)
{
    migrate_say(
        migrate, MIGRATE_CHANGED, line,
        "systemd starts the program as the user of its unit, authmilter, who has to be able "
        "to read the keys; milter.user is for those who start it as root (--user)");
}

void migrate_take_authserv_id(struct migrate *migrate, const struct migrate_line *line)
{
    if (strcasecmp(line->value, "HOSTNAME") == 0) {
        migrate_say(migrate, MIGRATE_CHANGED, line,
                    "authres.authserv_id is left empty: the mail server's own name is taken");
        return;
    }
    migrate_set_text(&migrate->output, migrate->arena, "authres", "authserv_id", line->value);
    migrate_say(migrate, MIGRATE_TRANSLATED, line, "authres.authserv_id");
}

static bool is_loopback(const char *text)
{
    return strcmp(text, "127.0.0.1") == 0 || strcmp(text, "127.0.0.0/8") == 0 ||
           strcmp(text, "127.0.0.1/8") == 0 || strcmp(text, "127.0.0.1/32") == 0 ||
           strcmp(text, "::1") == 0 || strcmp(text, "::1/128") == 0 ||
           strncmp(text, "::ffff:127.0.0.", 15) == 0 || strcasecmp(text, "localhost") == 0;
}

static const char *without_brackets(struct migrate *migrate, const char *text)
{
    char *copy = am_arena_copy(migrate->arena, am_span_str(text)), *to = copy;

    for (const char *c = text; copy != NULL && *c != '\0'; c++)
        if (*c != '[' && *c != ']')
            *to++ = *c;
    if (copy != NULL)
        *to = '\0';
    return copy == NULL ? "" : copy;
}

bool migrate_networks(struct migrate *migrate, const struct migrate_line *line, const char *section,
                      const char *option)
{
    static const struct am_option row = {
        .name = "network", .kind = AM_OPTION_NETS, .fallback = "", .help = ""};
    struct migrate_set_rows set;
    bool has_loopback = false;
    struct am_problem problem;
    struct am_netlist nets;

    if (!migrate_set_read(migrate, line, &set))
        return false;
    for (size_t i = 0; i < set.count; i++) {
        const char *text = without_brackets(migrate, set.rows[i].key);

        if (is_loopback(text))
            has_loopback = true;
        else if (text[0] == '!')
            migrate_say(migrate, MIGRATE_NONE, line,
                        "%s: networks have no exceptions; name the parts that count", text);
        else if (am_option_parse(&row, text, &nets, migrate->arena, &problem))
            migrate_add_item(&migrate->output, migrate->arena, section, option, text);
        else if (strspn(text, "0123456789.:/abcdefABCDEF") == strlen(text))
            migrate_say(migrate, MIGRATE_MEND, line, "%s", problem.text);
        else
            migrate_say(migrate, MIGRATE_NONE, line,
                        "%s: hosts are known by their addresses, not by name", text);
    }
    return has_loopback;
}
