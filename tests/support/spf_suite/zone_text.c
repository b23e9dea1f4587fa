#include "tests/support/spf_suite/zone_text.h"

#include <string.h>

/* The record types of the suite; SPF stands for the TXT record that a domain publishes today. */
static const char *const types[] = {"A", "AAAA", "MX", "PTR", "TXT", "CNAME"};
#define TYPE_COUNT (sizeof(types) / sizeof(types[0]))
#define TYPE_TXT 4

static struct am_span scalar(const yaml_node_t *node)
{
    if (node == NULL || node->type != YAML_SCALAR_NODE)
        return am_span_of(NULL, 0);
    return am_span_of((const char *)node->data.scalar.value, node->data.scalar.length);
}

static bool says(const yaml_node_t *node, const char *word)
{
    return am_span_equal(scalar(node), am_span_str(word));
}

static void write_escaped(struct am_buf *out, unsigned char c)
{
    am_buf_printf(out, "\\%03u", c);
}

/* A name with every odd octet as \DDD and a final dot. */
static void write_name(struct am_buf *out, struct am_span name)
{
    if (name.len > 0 && name.ptr[name.len - 1] == '.')
        name.len--;
    for (size_t i = 0; i < name.len; i++) {
        unsigned char c = (unsigned char)name.ptr[i];
        if (am_is_alnum(c) || c == '.' || c == '-' || c == '_')
            am_buf_add_char(out, (char)c);
        else
            write_escaped(out, c);
    }
    am_buf_add_char(out, '.');
}

/*
 * A character-string. The suite writes octets as "\x80", which YAML takes for
 * the character U+0080: give the octet back.
 */
static void write_string(struct am_buf *out, struct am_span text)
{
    size_t written = 0;
    am_buf_add_char(out, '"');
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        if ((c == 0xc2 || c == 0xc3) && i + 1 < text.len)
            c = (unsigned char)((c << 6) | ((unsigned char)text.ptr[++i] & 0x3f));
        if (written > 0 && written % 255 == 0)
            am_buf_add_str(out, "\" \"");
        written++;
        if (c >= ' ' && c < 0x7f && c != '"' && c != '\\')
            am_buf_add_char(out, (char)c);
        else
            write_escaped(out, c);
    }
    am_buf_add_char(out, '"');
}

static void write_text(yaml_document_t *document, yaml_node_t *value, struct am_buf *out)
{
    if (value->type != YAML_SEQUENCE_NODE) {
        write_string(out, scalar(value));
        return;
    }
    yaml_node_item_t *item = value->data.sequence.items.start;
    if (item == value->data.sequence.items.top)
        am_buf_add_str(out, "\"\"");
    for (; item < value->data.sequence.items.top; item++) {
        write_string(out, scalar(yaml_document_get_node(document, *item)));
        am_buf_add_char(out, ' ');
    }
}

static void write_record(yaml_document_t *document, struct am_span owner, size_t type,
                         yaml_node_t *value, struct am_buf *out)
{
    write_name(out, owner);
    am_buf_printf(out, " 3600 IN %s ", types[type]);
    if (strcmp(types[type], "MX") == 0) {
        yaml_node_item_t *item = value->data.sequence.items.start;
        am_buf_add(out, scalar(yaml_document_get_node(document, item[0])));
        am_buf_add_char(out, ' ');
        write_name(out, scalar(yaml_document_get_node(document, item[1])));
    } else if (type == TYPE_TXT) {
        write_text(document, value, out);
    } else if (types[type][0] == 'A') {
        am_buf_add(out, scalar(value));
    } else {
        write_name(out, scalar(value));
    }
    am_buf_add_char(out, '\n');
}

static bool fits_dns(struct am_span name)
{
    size_t label = 0;
    for (size_t i = 0; i < name.len; i++) {
        label = name.ptr[i] == '.' ? 0 : label + 1;
        if (label > 63)
            return false;
    }
    return name.len > 0 && name.len <= 254;
}

/* What was seen at one name. */
struct owner {
    struct am_span name;
    bool has[TYPE_COUNT];
    bool says_txt; /* TXT is given, perhaps as NONE: SPF is not copied to it */
    bool times_out;
};

/* Looks at one entry of a name: "TIMEOUT" or a mapping of one type. */
static void survey(yaml_document_t *document, yaml_node_t *entry, struct owner *owner)
{
    if (says(entry, "TIMEOUT"))
        owner->times_out = true;
    if (entry->type != YAML_MAPPING_NODE)
        return;
    for (yaml_node_pair_t *pair = entry->data.mapping.pairs.start;
         pair < entry->data.mapping.pairs.top; pair++)
        if (says(yaml_document_get_node(document, pair->key), "TXT"))
            owner->says_txt = true;
}

static void write_entry(yaml_document_t *document, yaml_node_t *entry, struct owner *owner,
                        struct am_buf *out)
{
    if (entry->type != YAML_MAPPING_NODE)
        return;
    for (yaml_node_pair_t *pair = entry->data.mapping.pairs.start;
         pair < entry->data.mapping.pairs.top; pair++) {
        yaml_node_t *key = yaml_document_get_node(document, pair->key);
        yaml_node_t *value = yaml_document_get_node(document, pair->value);
        if (says(value, "NONE"))
            continue;
        for (size_t type = 0; type < TYPE_COUNT; type++) {
            bool copied = type == TYPE_TXT && says(key, "SPF") && !owner->says_txt;
            if (!copied && !says(key, types[type]))
                continue;
            owner->has[type] = true;
            write_record(document, owner->name, type, value, out);
        }
    }
}

/* TIMEOUT means: whatever else is asked at this name. */
static void write_timeouts(const struct owner *owner, struct am_buf *out)
{
    for (size_t type = 0; type < TYPE_COUNT; type++) {
        if (owner->has[type] || strcmp(types[type], "CNAME") == 0)
            continue;
        am_buf_add_str(out, ";!timeout ");
        write_name(out, owner->name);
        am_buf_printf(out, " %s\n", types[type]);
    }
}

void spf_suite_write_zone(yaml_document_t *document, yaml_node_t *zone, struct am_buf *out)
{
    for (yaml_node_pair_t *pair = zone->data.mapping.pairs.start;
         pair < zone->data.mapping.pairs.top; pair++) {
        struct owner owner = {.name = scalar(yaml_document_get_node(document, pair->key))};
        yaml_node_t *list = yaml_document_get_node(document, pair->value);
        if (list->type != YAML_SEQUENCE_NODE || !fits_dns(owner.name))
            continue;
        yaml_node_item_t *first = list->data.sequence.items.start;
        yaml_node_item_t *end = list->data.sequence.items.top;
        for (yaml_node_item_t *item = first; item < end; item++)
            survey(document, yaml_document_get_node(document, *item), &owner);
        for (yaml_node_item_t *item = first; item < end; item++)
            write_entry(document, yaml_document_get_node(document, *item), &owner, out);
        if (owner.times_out)
            write_timeouts(&owner, out);
    }
}
