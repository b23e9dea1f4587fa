#include "dmarc-milter/dmarc_flat.h"

#include <stdlib.h>

#include "common/base/buf.h"
#include "common/base/utf8.h"

/* What ends a text that was longer than its column. */
static const char cut_mark[] = "[...]";

#define NAME_MAX_OCTETS 253
#define WORD_MAX_OCTETS 32

static const struct {
    const char *name;
    size_t max;    /* octets; of the whole text */
    size_t offset; /* of the string in struct dmarc_row; SIZE_MAX: a list */
} columns[DMARC_FLAT_COLUMNS] = {
#define COLUMN(MEMBER, MAX)                                                                        \
    {                                                                                              \
#MEMBER, MAX, offsetof(struct dmarc_row, MEMBER)                                           \
    }
    [DMARC_FLAT_POLICY_DOMAIN] = COLUMN(policy_domain, NAME_MAX_OCTETS),
    [DMARC_FLAT_P] = COLUMN(p, WORD_MAX_OCTETS),
    [DMARC_FLAT_SP] = COLUMN(sp, WORD_MAX_OCTETS),
    [DMARC_FLAT_NP] = COLUMN(np, WORD_MAX_OCTETS),
    [DMARC_FLAT_ADKIM] = COLUMN(adkim, WORD_MAX_OCTETS),
    [DMARC_FLAT_ASPF] = COLUMN(aspf, WORD_MAX_OCTETS),
    [DMARC_FLAT_FO] = COLUMN(fo, WORD_MAX_OCTETS),
    [DMARC_FLAT_TESTING] = COLUMN(testing, WORD_MAX_OCTETS),
    [DMARC_FLAT_RUA] = COLUMN(rua, 4096),
    [DMARC_FLAT_SOURCE_IP] = COLUMN(source_ip, 64),
    [DMARC_FLAT_DISPOSITION] = COLUMN(disposition, WORD_MAX_OCTETS),
    [DMARC_FLAT_DKIM] = COLUMN(dkim, WORD_MAX_OCTETS),
    [DMARC_FLAT_SPF] = COLUMN(spf, WORD_MAX_OCTETS),
    [DMARC_FLAT_HEADER_FROM] = COLUMN(header_from, NAME_MAX_OCTETS),
    [DMARC_FLAT_ENVELOPE_FROM] = COLUMN(envelope_from, NAME_MAX_OCTETS),
    [DMARC_FLAT_SPF_DOMAIN] = COLUMN(spf_domain, NAME_MAX_OCTETS),
    [DMARC_FLAT_SPF_SCOPE] = COLUMN(spf_scope, WORD_MAX_OCTETS),
    [DMARC_FLAT_SPF_RESULT] = COLUMN(spf_result, WORD_MAX_OCTETS),
#undef COLUMN
    [DMARC_FLAT_REASONS] = {"reasons", 2048, SIZE_MAX},
    [DMARC_FLAT_SIGNATURES] = {"signatures", 6144, SIZE_MAX},
};

/* Longest comment of a reason. */
#define COMMENT_MAX_OCTETS 200

const char *dmarc_flat_name(enum dmarc_flat_column column)
{
    return columns[column].name;
}

/* U+FFFE and U+FFFF have no place in XML. */
static bool is_harmless(const char *text, size_t len)
{
    if (len == 0 || am_utf8_is_control(text, len))
        return false;
    return len != 3 || memcmp(text, "\xef\xbf", 2) != 0 ||
           ((unsigned char)text[2] != 0xbe && (unsigned char)text[2] != 0xbf);
}

/* Appends a text made harmless, at most `max` octets. */
static void put_span(struct am_buf *out, struct am_span rest, size_t max)
{
    bool cut = rest.len > max;

    if (cut)
        max -= strlen(cut_mark);
    while (rest.len > 0 && max > 0) {
        size_t len = am_utf8_first(rest);
        bool harmless = is_harmless(rest.ptr, len);

        len = len == 0 ? 1 : len;
        if (len > max)
            break;
        if (harmless)
            am_buf_add(out, am_span_of(rest.ptr, len));
        else
            am_buf_add_char(out, '?');
        rest = am_span_of(rest.ptr + len, rest.len - len);
        max -= len;
    }
    if (cut)
        am_buf_add_str(out, cut_mark);
}

static void put(struct am_buf *out, const char *text, size_t max)
{
    put_span(out, am_span_str(text), max);
}

/* Half a URI would be another one: what does not fit is left out whole. */
static void put_rua(struct am_buf *out, const char *text, size_t max)
{
    struct am_span rua = am_span_str(text);

    if (rua.len > max) {
        rua.len = max;
        size_t comma = am_span_find_last(rua, ',');
        rua.len = comma == rua.len ? 0 : comma;
    }
    put_span(out, rua, max);
}

static void put_reasons(struct am_buf *out, const struct dmarc_row *row)
{
    for (size_t i = 0; i < row->reason_count && i < DMARC_ROW_REASONS_MAX; i++) {
        put(out, row->reasons[i].type, WORD_MAX_OCTETS);
        am_buf_add_char(out, '\t');
        put(out, row->reasons[i].comment, COMMENT_MAX_OCTETS);
        am_buf_add_char(out, '\n');
    }
}

static void put_signatures(struct am_buf *out, const struct dmarc_row *row)
{
    for (size_t i = 0; i < row->signature_count && i < DMARC_ROW_DKIM_MAX; i++) {
        put(out, row->signatures[i].domain, NAME_MAX_OCTETS);
        am_buf_add_char(out, '\t');
        put(out, row->signatures[i].selector, NAME_MAX_OCTETS);
        am_buf_add_char(out, '\t');
        put(out, row->signatures[i].result, WORD_MAX_OCTETS);
        am_buf_add_char(out, '\n');
    }
}

/* Makes the block of texts that stand in `texts`, each with its NUL. */
static struct dmarc_flat *make(int64_t time_s, const struct am_buf *texts,
                               const size_t starts[DMARC_FLAT_COLUMNS])
{
    struct dmarc_flat *flat = texts->failed ? NULL : malloc(sizeof(*flat) + texts->len);

    if (flat == NULL)
        return NULL;
    char *copy = memcpy((char *)(flat + 1), texts->data, texts->len);
    flat->time_s = time_s;
    flat->uid[0] = '\0';
    for (size_t i = 0; i < DMARC_FLAT_COLUMNS; i++)
        flat->text[i] = copy + starts[i];
    return flat;
}

struct dmarc_flat *dmarc_flat_new(const struct dmarc_row *row)
{
    size_t starts[DMARC_FLAT_COLUMNS];
    struct am_buf texts;

    am_buf_init(&texts, 0);
    for (size_t i = 0; i < DMARC_FLAT_COLUMNS; i++) {
        const char *text = columns[i].offset == SIZE_MAX
                               ? NULL
                               : *(const char *const *)((const char *)row + columns[i].offset);
        starts[i] = texts.len;
        if (i == DMARC_FLAT_RUA)
            put_rua(&texts, text, columns[i].max);
        else if (i == DMARC_FLAT_REASONS)
            put_reasons(&texts, row);
        else if (i == DMARC_FLAT_SIGNATURES)
            put_signatures(&texts, row);
        else
            put(&texts, text, columns[i].max);
        am_buf_add_char(&texts, '\0');
    }
    struct dmarc_flat *flat = make(row->time_s, &texts, starts);
    am_buf_fini(&texts);
    return flat;
}

/* --- back again --- */

/* Takes what stands before `end`, or all, off a text. */
static struct am_span next_part(struct am_span *rest, char end)
{
    size_t len = am_span_find(*rest, end);
    struct am_span part = am_span_of(rest->ptr, len);

    len += len < rest->len;
    *rest = am_span_of(rest->ptr + len, rest->len - len);
    return part;
}

/* Takes the next field off a line. Returns NULL when memory is short. */
static const char *next_field(struct am_span *line, struct am_arena *arena)
{
    return am_arena_copy(arena, next_part(line, '\t'));
}

static bool read_reasons(struct am_span text, struct am_arena *arena, struct dmarc_row *row)
{
    while (text.len > 0 && row->reason_count < DMARC_ROW_REASONS_MAX) {
        struct dmarc_row_reason *reason = &row->reasons[row->reason_count++];
        struct am_span line = next_part(&text, '\n');

        reason->type = next_field(&line, arena);
        reason->comment = next_field(&line, arena);
        if (reason->type == NULL || reason->comment == NULL)
            return false;
    }
    return true;
}

static bool read_signatures(struct am_span text, struct am_arena *arena, struct dmarc_row *row)
{
    while (text.len > 0 && row->signature_count < DMARC_ROW_DKIM_MAX) {
        struct dmarc_row_dkim *signature = &row->signatures[row->signature_count++];
        struct am_span line = next_part(&text, '\n');

        signature->domain = next_field(&line, arena);
        signature->selector = next_field(&line, arena);
        signature->result = next_field(&line, arena);
        if (signature->domain == NULL || signature->selector == NULL || signature->result == NULL)
            return false;
    }
    return true;
}

bool dmarc_flat_row(const struct dmarc_flat *flat, struct am_arena *arena, struct dmarc_row *row)
{
    *row = (struct dmarc_row){.time_s = flat->time_s};
    for (size_t i = 0; i < DMARC_FLAT_COLUMNS; i++)
        if (columns[i].offset != SIZE_MAX)
            *(const char **)((char *)row + columns[i].offset) = flat->text[i];
    return read_reasons(am_span_str(flat->text[DMARC_FLAT_REASONS]), arena, row) &&
           read_signatures(am_span_str(flat->text[DMARC_FLAT_SIGNATURES]), arena, row);
}

struct dmarc_flat *dmarc_flat_of(int64_t time_s, const char *uid,
                                 const char *const text[DMARC_FLAT_COLUMNS])
{
    struct am_arena *arena = am_arena_new(8192, 0);
    struct dmarc_flat raw = {.time_s = time_s};
    struct dmarc_flat *flat = NULL;
    struct dmarc_row row;

    if (arena == NULL)
        return NULL;
    for (size_t i = 0; i < DMARC_FLAT_COLUMNS; i++)
        raw.text[i] = text[i] == NULL ? "" : text[i];
    if (dmarc_flat_row(&raw, arena, &row) && (flat = dmarc_flat_new(&row)) != NULL)
        strncat(flat->uid, uid == NULL ? "" : uid, sizeof(flat->uid) - 1);
    am_arena_free(arena);
    return flat;
}
