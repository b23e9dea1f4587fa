#include "dkim-milter/dkim_tag.h"

#include "common/base/utf8.h"
#include "dkim-milter/dkim_scan.h"

static struct am_span skip(struct am_span text, size_t count)
{
    return am_span_of(text.ptr + count, text.len - count);
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* The length of a fold: LF or CRLF and the blank behind it, which is not counted; else 0. */
static size_t fold_len(struct am_span text, size_t at)
{
    size_t end = at;
    if (end < text.len && text.ptr[end] == '\r')
        end++;
    if (end >= text.len || text.ptr[end] != '\n')
        return 0;
    end++;
    return end < text.len && is_blank(text.ptr[end]) ? end - at : 0;
}

size_t dkim_fws_len(struct am_span text)
{
    size_t at = 0;
    while (at < text.len) {
        size_t step = is_blank(text.ptr[at]) ? 1 : fold_len(text, at);
        if (step == 0)
            break;
        at += step;
    }
    return at;
}

struct am_span dkim_fws_trim(struct am_span text)
{
    if (text.len == 0)
        return text;
    text = skip(text, dkim_fws_len(text));
    while (text.len > 0) {
        char c = text.ptr[text.len - 1];
        /* A line end without a blank behind it is no white space, and stays. */
        if (!is_blank(c))
            break;
        text.len--;
        if (text.len > 0 && text.ptr[text.len - 1] == '\n') {
            text.len--;
            if (text.len > 0 && text.ptr[text.len - 1] == '\r')
                text.len--;
        }
    }
    return text;
}

static bool is_name_char(char c)
{
    return am_is_alnum((unsigned char)c) || c == '_';
}

/* tag-name of section 3.2; 0 when there is none. */
static size_t name_len(struct am_span text)
{
    size_t len = 0;
    if (text.len == 0 || !am_is_alpha((unsigned char)text.ptr[0]))
        return 0;
    while (len < text.len && is_name_char(text.ptr[len]))
        len++;
    return len;
}

/* The length of what may stand in a value at the start of `text`: up to ";", the end, or a fault.
 */
static size_t value_len(struct am_span text)
{
    size_t at = dkim_scan_value(text);
    while (at < text.len && text.ptr[at] != ';') {
        struct am_span rest = skip(text, at);
        bool is_text = (unsigned char)text.ptr[at] >= 0x80;
        size_t step = is_text ? am_utf8_first(rest) : dkim_fws_len(rest);
        if (step == 0)
            break;
        at += step;
        at += dkim_scan_value(skip(text, at));
    }
    return at;
}

static bool is_named(const struct dkim_tag *tag, struct am_span name)
{
    return tag->name.len == name.len && tag->name.ptr[0] == name.ptr[0] &&
           memcmp(tag->name.ptr, name.ptr, name.len) == 0;
}

static const struct dkim_tag *find(const struct dkim_tag_list *list, struct am_span name)
{
    for (size_t i = 0; i < list->count; i++)
        if (is_named(&list->tags[i], name))
            return &list->tags[i];
    return NULL;
}

/* Reads the tag at `*at` and moves it to the ";" behind the tag, or the end. */
static enum dkim_tag_status read_tag(struct dkim_tag_list *list, struct am_span text, size_t *at)
{
    struct dkim_tag tag;
    tag.name = am_span_of(text.ptr + *at, name_len(skip(text, *at)));
    if (tag.name.len == 0)
        return DKIM_TAG_SYNTAX;
    size_t end = *at + tag.name.len;
    end += dkim_fws_len(skip(text, end));
    if (end == text.len || text.ptr[end] != '=') {
        *at = end;
        return DKIM_TAG_SYNTAX;
    }
    end++;
    tag.raw = am_span_of(text.ptr + end, value_len(skip(text, end)));
    tag.value = dkim_fws_trim(tag.raw);
    end += tag.raw.len;
    if (end < text.len && text.ptr[end] != ';') {
        *at = end;
        return DKIM_TAG_SYNTAX;
    }
    if (find(list, tag.name) != NULL)
        return DKIM_TAG_DUPLICATE;
    if (list->count == DKIM_TAG_MAX)
        return DKIM_TAG_TOO_MANY;
    list->tags[list->count++] = tag;
    *at = end;
    return DKIM_TAG_OK;
}

enum dkim_tag_status dkim_tag_list_parse(struct dkim_tag_list *list, struct am_span text)
{
    enum dkim_tag_status status;
    size_t at = 0;
    list->count = list->bad = 0;
    if (text.len == 0)
        return DKIM_TAG_SYNTAX;
    do {
        at += dkim_fws_len(skip(text, at));
        if (at == text.len && list->count > 0) { /* behind the last ";" */
            status = DKIM_TAG_OK;
            break;
        }
        status = read_tag(list, text, &at);
    } while (status == DKIM_TAG_OK && at++ < text.len);
    list->bad = at < text.len ? at : text.len;
    return status;
}

const struct dkim_tag *dkim_tag_find(const struct dkim_tag_list *list, const char *name)
{
    return find(list, am_span_str(name));
}

bool dkim_list_next(struct am_span *rest, struct am_span *item)
{
    if (rest->ptr == NULL)
        return false;
    size_t colon = am_span_find(*rest, ':');
    *item = dkim_fws_trim(am_span_of(rest->ptr, colon));
    *rest = colon < rest->len ? skip(*rest, colon + 1) : am_span_of(NULL, 0);
    return true;
}
