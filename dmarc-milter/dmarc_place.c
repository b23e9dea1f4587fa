#include "dmarc-milter/dmarc_place.h"

#include <stdio.h>

#include "common/base/span.h"

static const char how[] = "write /full/path.db, redis://host:port/stream or "
                          "redis+unix:///path?stream=name";

static bool take_text(char *out, size_t size, struct am_span text, const char *what,
                      struct am_problem *problem)
{
    if (text.len == 0 || text.len >= size)
        return am_problem_set(problem, "the %s is %s; %s", what,
                              text.len == 0 ? "missing" : "too long", how);
    for (size_t i = 0; i < text.len; i++)
        if ((unsigned char)text.ptr[i] <= ' ' || text.ptr[i] == '\x7f')
            return am_problem_set(problem, "the %s holds a blank or a control character", what);
    memcpy(out, text.ptr, text.len);
    out[text.len] = '\0';
    return true;
}

static bool take_parameter(struct dmarc_place *place, struct am_span text,
                           struct am_problem *problem)
{
    const struct {
        const char *name;
        char *out;
        size_t size;
    } known[] = {
        {"stream", place->stream, sizeof(place->stream)},
        {"user", place->user, sizeof(place->user)},
        {"password_file", place->password_file, sizeof(place->password_file)},
    };
    size_t equals = am_span_find(text, '=');
    struct am_span name = am_span_of(text.ptr, equals);

    for (size_t i = 0; equals < text.len && i < sizeof(known) / sizeof(known[0]); i++)
        if (am_span_equal(name, am_span_str(known[i].name)))
            return take_text(known[i].out, known[i].size,
                             am_span_of(text.ptr + equals + 1, text.len - equals - 1),
                             known[i].name, problem);
    return am_problem_set(problem, "behind \"?\" only stream=, user= and password_file= may stand");
}

/* Takes what stands behind "?" off the text. */
static bool take_parameters(struct dmarc_place *place, struct am_span *text,
                            struct am_problem *problem)
{
    size_t mark = am_span_find(*text, '?');
    struct am_span rest = am_span_of(text->ptr + mark, text->len - mark);

    text->len = mark;
    while (rest.len > 1) {
        rest = am_span_of(rest.ptr + 1, rest.len - 1);
        size_t len = am_span_find(rest, '&');
        if (!take_parameter(place, am_span_of(rest.ptr, len), problem))
            return false;
        rest = am_span_of(rest.ptr + len, rest.len - len);
    }
    return true;
}

/* "host:port", "[address]:port", or without the port. */
static bool take_server(struct dmarc_place *place, struct am_span text, struct am_problem *problem)
{
    size_t end = text.len;
    bool bracket = text.len > 0 && text.ptr[0] == '[';
    struct am_span host = text;

    if (bracket) {
        size_t close = am_span_find(text, ']');
        if (close == text.len)
            return am_problem_set(problem, "a bracket is not closed; %s", how);
        host = am_span_of(text.ptr + 1, close - 1);
        end = close + 1;
    } else {
        host.len = end = am_span_find(text, ':');
    }
    place->port = 6379;
    if (end < text.len) {
        long port = 0;
        for (size_t i = end + 1; i < text.len && port <= 65535; i++)
            port = am_is_digit((unsigned char)text.ptr[i]) ? port * 10 + text.ptr[i] - '0' : 65536;
        if (text.ptr[end] != ':' || port < 1 || port > 65535)
            return am_problem_set(problem, "the port is a number from 1 to 65535; %s", how);
        place->port = (int)port;
    }
    return take_text(place->host, sizeof(place->host), host, "host", problem);
}

static bool parse_redis(struct dmarc_place *place, struct am_span text, bool is_unix,
                        struct am_problem *problem)
{
    place->is_redis = true;
    if (!take_parameters(place, &text, problem))
        return false;
    if (is_unix) {
        if (text.len == 0 || text.ptr[0] != '/')
            return am_problem_set(problem, "the path of the socket begins with a slash; %s", how);
        if (!take_text(place->path, sizeof(place->path), text, "path", problem))
            return false;
    } else {
        size_t slash = am_span_find(text, '/');
        if (!take_server(place, am_span_of(text.ptr, slash), problem))
            return false;
        if (slash + 1 < text.len &&
            !take_text(place->stream, sizeof(place->stream),
                       am_span_of(text.ptr + slash + 1, text.len - slash - 1), "stream", problem))
            return false;
    }
    return place->stream[0] != '\0' ||
           am_problem_set(problem, "the name of the stream is missing; %s", how);
}

bool dmarc_place_parse(struct dmarc_place *place, const char *text, struct am_problem *problem)
{
    static const char tcp[] = "redis://", local[] = "redis+unix://";
    struct am_span rest = am_span_str(text);

    memset(place, 0, sizeof(*place));
    if (am_span_starts_nocase(rest, am_span_str(tcp)))
        return parse_redis(place, am_span_str(text + strlen(tcp)), false, problem);
    if (am_span_starts_nocase(rest, am_span_str(local)))
        return parse_redis(place, am_span_str(text + strlen(local)), true, problem);
    if (rest.len == 0 || text[0] != '/')
        return am_problem_set(problem, "'%s' is no place for rows of reports; %s", text, how);
    if (snprintf(place->path, sizeof(place->path), "%s", text) >= (int)sizeof(place->path) - 8)
        return am_problem_set(problem, "the path is too long");
    return true;
}

bool dmarc_place_check(const char *value, struct am_problem *problem)
{
    struct dmarc_place place;

    return *value == '\0' || dmarc_place_parse(&place, value, problem);
}
