#include "authmilter/check_milter.h"

#include <string.h>

#define SEPARATORS " \t\r\n,"

static bool wrong(struct check_milter *milter, const char *problem, const char *mend)
{
    milter->wrong = true;
    milter->problem = problem;
    milter->mend = mend;
    return problem != NULL && mend != NULL;
}

/* The milter's own way of writing puts the port first. */
static bool read_sendmail_form(struct check_milter *milter, struct am_arena *arena,
                               const char *place)
{
    const char *at = strchr(place, '@');

    return wrong(milter,
                 am_arena_printf(arena,
                                 "%s is how the milter writes it: Postfix has the host first",
                                 milter->text),
                 am_arena_printf(arena, "write inet:%s:%.*s", at[1] == '\0' ? "127.0.0.1" : at + 1,
                                 (int)(at - place), place));
}

static bool read_inet(struct check_milter *milter, struct am_arena *arena, const char *place)
{
    const char *colon = strrchr(place, ':');

    if (strchr(place, '@') != NULL)
        return read_sendmail_form(milter, arena, place);
    if (colon == NULL || colon[1] == '\0' || colon == place)
        return wrong(milter, am_arena_printf(arena, "%s has no host and port", milter->text),
                     "write inet:HOST:PORT");
    struct am_span host = am_span_of(place, (size_t)(colon - place));
    if (host.len > 2 && host.ptr[0] == '[' && host.ptr[host.len - 1] == ']')
        host = am_span_of(host.ptr + 1, host.len - 2);
    milter->host = am_arena_copy(arena, host);
    milter->port = colon + 1;
    return milter->host != NULL;
}

static bool read_address(struct check_milter *milter, struct am_arena *arena, struct am_span text)
{
    milter->text = am_arena_copy(arena, text);
    if (milter->text == NULL)
        return false;
    if (strncmp(milter->text, "unix:", 5) == 0)
        milter->path = milter->text + 5;
    else if (strncmp(milter->text, "local:", 6) == 0)
        milter->path = milter->text + 6;
    else if (strncmp(milter->text, "inet:", 5) == 0)
        return read_inet(milter, arena, milter->text + 5);
    else
        return wrong(milter,
                     am_arena_printf(arena, "%s says neither unix: nor inet:", milter->text),
                     "write unix:PATH or inet:HOST:PORT");
    return *milter->path != '\0' ||
           wrong(milter, am_arena_printf(arena, "%s has no path", milter->text), "write unix:PATH");
}

/* "{ address, name = value, ... }": blanks may stand around "=". */
static bool read_group(struct check_milter *milter, struct am_arena *arena, struct am_span inner)
{
    static const char action[] = "default_action";
    char *text = am_arena_copy(arena, inner);

    if (text == NULL)
        return false;
    text += strspn(text, SEPARATORS);
    size_t len = strcspn(text, SEPARATORS);
    if (!read_address(milter, arena, am_span_of(text, len)))
        return false;
    char *found = strstr(text + len, action);
    if (found != NULL) {
        found += strlen(action);
        found += strspn(found, " \t=");
        milter->default_action =
            am_arena_copy(arena, am_span_of(found, strcspn(found, SEPARATORS)));
        return milter->default_action != NULL;
    }
    return true;
}

bool check_milters_parse(struct check_milters *milters, struct am_arena *arena, const char *text)
{
    milters->count = 0;
    for (text += strspn(text, SEPARATORS); *text != '\0'; text += strspn(text, SEPARATORS)) {
        if (milters->count == CHECK_MILTERS_MAX)
            return false;
        struct check_milter *milter = &milters->items[milters->count++];
        bool group = *text == '{';
        size_t len = group ? strcspn(text, "}") : strcspn(text, SEPARATORS);
        *milter = (struct check_milter){.text = ""};
        if (group ? !read_group(milter, arena, am_span_of(text + 1, len - 1))
                  : !read_address(milter, arena, am_span_of(text, len)))
            return false;
        text += len + (group && text[len] == '}');
    }
    return true;
}
