/* The only file that knows GMime. */
#include <gmime/gmime.h>
#include <pthread.h>
#include <strings.h>

#include "contrib/mime/mime_bounds.h"
#include "contrib/mime/mime_names.h"

struct item {
    struct am_mime_part part;
    GMimeObject *object;
};

struct am_mime {
    struct am_arena *arena;
    struct am_mime_limits limits;
    struct am_span text; /* fields, an empty line, body */
    size_t body_at;      /* where the body begins in it */
    GMimeMessage *message;
    GMimeParserOptions *options;
    unsigned defects;
    bool cut;
    struct item *items;
    size_t count, capacity;
    /* Boundaries of the multiparts around the part in hand, outermost first. */
    struct am_span *boundaries;
    size_t open;
};

static void init(void)
{
    g_mime_init();
}

static void note_defect(gint64 offset, GMimeParserWarning code, const gchar *item, gpointer user)
{
    struct am_mime *mime = user;
    (void)offset;
    (void)item;
    switch (code) {
    case GMIME_CRIT_INVALID_HEADER_NAME:
        mime->defects |= AM_MIME_FIELD;
        break;
    case GMIME_CRIT_CONFLICTING_HEADER:
    case GMIME_CRIT_CONFLICTING_PARAMETER:
        mime->defects |= AM_MIME_CONFLICT;
        break;
    case GMIME_CRIT_MULTIPART_WITHOUT_BOUNDARY:
        mime->defects |= AM_MIME_NO_BOUNDARY;
        break;
    case GMIME_WARN_MALFORMED_MULTIPART:
    case GMIME_WARN_TRUNCATED_MESSAGE:
        mime->defects |= AM_MIME_STRUCTURE;
        break;
    case GMIME_CRIT_PART_WITHOUT_HEADERS_OR_CONTENT:
        mime->defects |= AM_MIME_EMPTY_PART;
        break;
    case GMIME_CRIT_NESTING_OVERFLOW:
        mime->cut = true;
        break;
    default:
        break;
    }
}

static void release(void *object)
{
    struct am_mime *mime = object;
    if (mime->message != NULL)
        g_object_unref(mime->message);
    if (mime->options != NULL)
        g_mime_parser_options_free(mime->options);
}

static bool assemble(struct am_mime *mime, struct am_span fields, struct am_span body)
{
    char *text = am_arena_alloc(mime->arena, fields.len + body.len + 2);
    if (text == NULL)
        return false;
    if (fields.len > 0)
        memcpy(text, fields.ptr, fields.len);
    text[fields.len] = '\n';
    if (body.len > 0)
        memcpy(text + fields.len + 1, body.ptr, body.len);
    mime->body_at = fields.len + 1;
    mime->text = am_span_of(text, mime->body_at + body.len);
    return true;
}

/* --- the list of parts --- */

static struct item *add_item(struct am_mime *mime, GMimeObject *object, const char *path,
                             unsigned depth)
{
    if (mime->count == mime->limits.max_parts)
        return NULL;
    if (mime->count == mime->capacity) {
        size_t capacity = mime->capacity == 0 ? 16 : 2 * mime->capacity;
        struct item *items = am_arena_alloc(mime->arena, capacity * sizeof(*items));
        if (items == NULL)
            return NULL;
        if (mime->count > 0)
            memcpy(items, mime->items, mime->count * sizeof(*items));
        mime->items = items;
        mime->capacity = capacity;
    }
    struct item *item = &mime->items[mime->count++];
    item->object = object;
    item->part.path = path;
    item->part.depth = depth;
    return item;
}

static const char *type_of(struct am_mime *mime, GMimeObject *object)
{
    GMimeContentType *type = g_mime_object_get_content_type(object);
    char *text = type == NULL ? NULL : g_mime_content_type_get_mime_type(type);
    char *copy = am_arena_copy(mime->arena, am_span_str(text == NULL ? "text/plain" : text));
    g_free(text);
    for (char *at = copy; at != NULL && *at != '\0'; at++)
        *at = am_lower(*at);
    return copy;
}

static void add_params(struct am_mime *mime, struct am_strlist *names, GMimeParamList *params)
{
    int count = params == NULL ? 0 : g_mime_param_list_length(params);
    for (int i = 0; i < count; i++) {
        GMimeParam *param = g_mime_param_list_get_parameter_at(params, i);
        const char *name = g_mime_param_get_name(param), *value = g_mime_param_get_value(param);
        if (name != NULL && value != NULL &&
            (strcasecmp(name, "name") == 0 || strcasecmp(name, "filename") == 0) &&
            !am_mime_names_add(names, mime->arena, am_span_str(value)))
            mime->cut = true;
    }
}

/* The names in a field's parameters, decoded (RFC 2231, and RFC 2047 where it must not be). */
static void add_field(struct am_mime *mime, struct am_strlist *names, GMimeHeader *header)
{
    const char *name = g_mime_header_get_name(header);
    const char *value = g_mime_header_get_raw_value(header);
    if (value == NULL)
        return;
    if (strcasecmp(name, "Content-Type") == 0) {
        GMimeContentType *type = g_mime_content_type_parse(mime->options, value);
        add_params(mime, names, g_mime_content_type_get_parameters(type));
        g_object_unref(type);
    } else if (strcasecmp(name, "Content-Disposition") == 0) {
        GMimeContentDisposition *where = g_mime_content_disposition_parse(mime->options, value);
        add_params(mime, names, g_mime_content_disposition_get_parameters(where));
        g_object_unref(where);
    }
}

static void add_names(struct am_mime *mime, struct item *item)
{
    GMimeHeaderList *list = g_mime_object_get_header_list(item->object);
    struct am_mime_part *part = &item->part;
    int count = g_mime_header_list_get_count(list);
    for (int i = 0; i < count; i++)
        add_field(mime, &part->names, g_mime_header_list_get_header_at(list, i));
    /* The message's own fields stand ahead of the body. */
    size_t from = part->depth == 1 ? 0 : mime->body_at + part->start;
    size_t to = part->depth == 1 ? mime->body_at : mime->body_at + part->content;
    if (!am_mime_names_scan(&part->names, mime->arena,
                            am_span_of(mime->text.ptr + from, to - from)))
        mime->cut = true;
}

/* --- where parts stand --- */

/* The least offset of a header's fields, which is where it begins; -1 for none. */
static gint64 header_start(GMimeObject *object)
{
    if (object == NULL)
        return -1;
    GMimeHeaderList *list = g_mime_object_get_header_list(object);
    int count = g_mime_header_list_get_count(list);
    gint64 least = -1;
    for (int i = 0; i < count; i++) {
        gint64 offset = g_mime_header_get_offset(g_mime_header_list_get_header_at(list, i));
        if (offset >= 0 && (least < 0 || offset < least))
            least = offset;
    }
    return least;
}

/* Tells whether a line is a delimiter of one of the open multiparts. */
static bool is_delimiter(const struct am_mime *mime, struct am_span line)
{
    for (size_t i = 0; i < mime->open; i++) {
        struct am_span boundary = mime->boundaries[i];
        if (line.len < boundary.len + 2 || line.ptr[0] != '-' || line.ptr[1] != '-' ||
            memcmp(line.ptr + 2, boundary.ptr, boundary.len) != 0)
            continue;
        size_t at = boundary.len + 2;
        at += line.len >= at + 2 && line.ptr[at] == '-' && line.ptr[at + 1] == '-' ? 2 : 0;
        while (at < line.len && strchr(" \t\r", line.ptr[at]) != NULL)
            at++;
        if (at == line.len || line.ptr[at] == '\n')
            return true;
    }
    return false;
}

/* Finds the end of a part that begins at `at`: the next delimiter, without the line end before it.
 */
static size_t find_end(const struct am_mime *mime, size_t at)
{
    struct am_span rest = am_span_of(mime->text.ptr + at, mime->text.len - at);
    while (rest.len > 0 && !is_delimiter(mime, rest)) {
        size_t len = am_span_find(rest, '\n');
        len += len < rest.len;
        rest = am_span_of(rest.ptr + len, rest.len - len);
    }
    size_t end = mime->text.len - rest.len;
    if (rest.len > 0 && end > at && mime->text.ptr[end - 1] == '\n')
        end--;
    if (rest.len > 0 && end > at && mime->text.ptr[end - 1] == '\r')
        end--;
    return end;
}

/* Behind the empty line that ends a header, or at the end of it all. */
static size_t find_content(const struct am_mime *mime, size_t at, size_t end)
{
    while (at < end) {
        struct am_span rest = am_span_of(mime->text.ptr + at, end - at);
        size_t len = am_span_find(rest, '\n');
        bool empty = len == 0 || (len == 1 && rest.ptr[0] == '\r');
        at += len + (len < rest.len);
        if (empty)
            return at;
    }
    return end;
}

/* The content's own place, which GMime keeps for a leaf. */
static bool leaf_bounds(const struct item *item, gint64 *start, gint64 *end)
{
    if (!GMIME_IS_PART(item->object))
        return false;
    GMimeDataWrapper *content = g_mime_part_get_content(GMIME_PART(item->object));
    GMimeStream *stream = content == NULL ? NULL : g_mime_data_wrapper_get_stream(content);
    if (stream == NULL || !GMIME_IS_STREAM_MEM(stream))
        return false;
    *start = stream->bound_start;
    *end = stream->bound_end;
    return true;
}

/*
 * Fills in where a part stands. What cannot be is put at the end, where it harms nobody. `around`:
 * the message that the part is all of, whose fields stand among its own; or NULL.
 */
static void place(struct am_mime *mime, struct item *item, GMimeObject *around)
{
    struct am_mime_part *part = &item->part;
    size_t len = mime->text.len;
    gint64 content = -1, end = -1;
    if (part->depth == 1) {
        part->start = part->content = 0;
        part->end = len - mime->body_at;
        return;
    }
    gint64 start = header_start(item->object), above = header_start(around);
    if (above >= 0 && (start < 0 || above < start))
        start = above;
    bool is_leaf = leaf_bounds(item, &content, &end);
    if (start < 0)
        start = is_leaf ? content : (gint64)len;
    if ((size_t)start > len || (size_t)start < mime->body_at)
        start = (gint64)len;
    if (!is_leaf || content < start || end < content || (size_t)end > len)
        end = content = (gint64)find_content(mime, (size_t)start, len);
    part->start = (size_t)start - mime->body_at;
    part->content = (size_t)content - mime->body_at;
    part->end = (size_t)end - mime->body_at;
}

/* A message within ends where what is in it does, but for what stands behind its last delimiter. */
static void place_end(struct am_mime *mime, size_t index)
{
    struct am_mime_part *part = &mime->items[index].part;
    for (size_t i = index + 1; i < mime->count; i++) {
        if (mime->items[i].part.end > part->end)
            part->end = mime->items[i].part.end;
    }
    if (part->depth > 1 && !GMIME_IS_MULTIPART(mime->items[index].object))
        part->end = find_end(mime, mime->body_at + part->end) - mime->body_at;
}

/* --- the walk --- */

static void walk(struct am_mime *mime, GMimeObject *object, GMimeObject *around, const char *path,
                 unsigned depth);

static void walk_multipart(struct am_mime *mime, GMimeMultipart *multipart, const char *path,
                           unsigned depth)
{
    const char *boundary = g_mime_multipart_get_boundary(multipart);
    int count = g_mime_multipart_get_count(multipart);
    if (count == 0)
        mime->defects |= AM_MIME_STRUCTURE;
    if (boundary != NULL)
        mime->boundaries[mime->open++] = am_span_str(boundary);
    for (int i = 0; i < count && mime->count < mime->limits.max_parts; i++) {
        const char *below = am_arena_printf(mime->arena, "%s.%d", path, i + 1);
        walk(mime, g_mime_multipart_get_part(multipart, i), NULL, below, depth + 1);
    }
    if (count > 0 && mime->count == mime->limits.max_parts)
        mime->cut = true;
    if (boundary != NULL)
        mime->open--;
}

static void walk(struct am_mime *mime, GMimeObject *object, GMimeObject *around, const char *path,
                 unsigned depth)
{
    struct item *item = NULL;
    if (depth <= mime->limits.max_depth && object != NULL && path != NULL)
        item = add_item(mime, object, path, depth);
    if (item == NULL) {
        mime->cut = mime->cut || object != NULL;
        return;
    }
    item->part.type = type_of(mime, object);
    item->part.is_piece =
        GMIME_IS_MESSAGE_PARTIAL(object) ||
        (item->part.type != NULL && strcmp(item->part.type, "message/external-body") == 0);
    item->part.is_container = GMIME_IS_MULTIPART(object) || GMIME_IS_MESSAGE_PART(object);
    item->part.is_message = around != NULL;
    place(mime, item, around);
    add_names(mime, item);
    mime->cut = mime->cut || item->part.type == NULL;
    size_t index = mime->count - 1; /* the list moves when it grows */
    if (GMIME_IS_MULTIPART(object)) {
        walk_multipart(mime, GMIME_MULTIPART(object), path, depth);
    } else if (GMIME_IS_MESSAGE_PART(object)) {
        GMimeMessage *message = g_mime_message_part_get_message(GMIME_MESSAGE_PART(object));
        if (message != NULL)
            walk(mime, g_mime_message_get_mime_part(message), GMIME_OBJECT(message),
                 am_arena_printf(mime->arena, "%s.1", path), depth + 1);
    }
    if (mime->items[index].part.is_container)
        place_end(mime, index);
}

static bool parse(struct am_mime *mime)
{
    GMimeStream *stream = g_mime_stream_mem_new_with_buffer(mime->text.ptr, mime->text.len);
    GMimeParser *parser = g_mime_parser_new_with_stream(stream);
    mime->options = g_mime_parser_options_new();
    g_mime_parser_options_set_warning_callback(mime->options, note_defect, mime);
    /* Contents stay where they are: parts of the stream, with an offset. */
    g_mime_parser_set_persist_stream(parser, TRUE);
    mime->message = g_mime_parser_construct_message(parser, mime->options);
    g_object_unref(parser);
    g_object_unref(stream);
    return mime->message != NULL;
}

struct am_mime *am_mime_open(struct am_arena *arena, struct am_span fields, struct am_span body,
                             const struct am_mime_limits *limits, struct am_problem *why)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    struct am_mime *mime = am_arena_alloc(arena, sizeof(*mime));
    pthread_once(&once, init);
    am_problem_set(why, "memory is short");
    if (mime == NULL || body.len > SIZE_MAX - fields.len - 2)
        return NULL;
    mime->arena = arena;
    mime->limits = *limits;
    if (body.len > limits->max_bytes) {
        am_problem_set(why, "larger than %zu bytes", limits->max_bytes);
        return NULL;
    }
    mime->boundaries = am_arena_alloc(arena, (limits->max_depth + 1) * sizeof(*mime->boundaries));
    if (mime->boundaries == NULL || !assemble(mime, fields, body) ||
        !am_mime_bounds_hold(mime->text, limits, why))
        return NULL;
    if (!parse(mime)) {
        am_problem_set(why, "it cannot be parsed");
        release(mime);
        return NULL;
    }
    if (!am_arena_defer(arena, release, mime)) {
        release(mime);
        return NULL;
    }
    walk(mime, g_mime_message_get_mime_part(mime->message), NULL, "1", 1);
    return mime;
}

unsigned am_mime_defects(const struct am_mime *mime)
{
    return mime->defects;
}

const char *am_mime_defect_text(unsigned defects)
{
    static const char *const texts[] = {
        "a line of a header is no field", "fields or parameters that contradict each other",
        "a multipart without boundary", "a multipart that does not end, or has no parts",
        "a part without header and content"};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        if ((defects & 1u << i) != 0)
            return texts[i];
    }
    return NULL;
}

bool am_mime_is_cut(const struct am_mime *mime)
{
    return mime->cut;
}

size_t am_mime_count(const struct am_mime *mime)
{
    return mime->count;
}

const struct am_mime_part *am_mime_at(const struct am_mime *mime, size_t index)
{
    return &mime->items[index].part;
}

bool am_mime_stray_names(const struct am_mime *mime, struct am_strlist *names)
{
    return mime->defects == 0 || am_mime_names_scan(names, mime->arena, mime->text);
}

bool am_mime_decode(const struct am_mime *mime, size_t index, struct am_buf *out)
{
    const struct item *item = &mime->items[index];
    struct am_span raw = am_span_of(mime->text.ptr + mime->body_at + item->part.content,
                                    item->part.end - item->part.content);
    GMimeContentEncoding encoding = GMIME_CONTENT_ENCODING_DEFAULT;
    if (GMIME_IS_PART(item->object))
        encoding = g_mime_part_get_content_encoding(GMIME_PART(item->object));
    GMimeEncoding state;
    g_mime_encoding_init_decode(&state, encoding);
    while (raw.len > 0 && !out->failed) {
        char chunk[8192];
        size_t len = raw.len < 4096 ? raw.len : 4096;
        size_t got = g_mime_encoding_outlen(&state, len) <= sizeof(chunk)
                         ? g_mime_encoding_step(&state, raw.ptr, len, chunk)
                         : 0;
        size_t room = out->limit == 0 || out->limit - out->len > got ? got : out->limit - out->len;
        am_buf_add(out, am_span_of(chunk, room));
        if (room < got)
            return false;
        raw = am_span_of(raw.ptr + len, raw.len - len);
    }
    char last[64];
    size_t got = out->failed ? 0 : g_mime_encoding_flush(&state, "", 0, last);
    if (out->limit != 0 && out->limit - out->len < got)
        return false;
    am_buf_add(out, am_span_of(last, got));
    return !out->failed;
}
