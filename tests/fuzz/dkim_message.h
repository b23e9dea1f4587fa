#ifndef TESTS_FUZZ_DKIM_MESSAGE_H
#define TESTS_FUZZ_DKIM_MESSAGE_H

#include <stdlib.h>

#include "authres/authres.h"
#include "dkim-milter/dkim_module_result.h"

/* A resolver that answers every question with one record, and a message cut into its parts. */

struct one_record {
    struct am_resolver resolver;
    struct am_dns_query query;
    struct am_dns_record record;
    struct am_dns_answer answer;
};

static inline struct am_dns_query *one_record_start(struct am_resolver *self, const char *name,
                                                    enum am_dns_type type, int64_t deadline_us)
{
    (void)name, (void)type, (void)deadline_us;
    return &((struct one_record *)(void *)self)->query;
}

static inline void one_record_wait(struct am_dns_query *const *queries, size_t count)
{
    (void)queries, (void)count;
}

static inline void one_record_release(struct am_dns_query *query)
{
    (void)query;
}

/* Makes the resolver. */
static inline void one_record_init(struct one_record *dns, struct am_span text)
{
    static const struct am_resolver_ops ops = {one_record_start, one_record_wait,
                                               one_record_release, NULL};

    dns->resolver.ops = &ops;
    dns->record.text = text;
    dns->answer = (struct am_dns_answer){AM_DNS_OK, false, false, 60, 1, &dns->record};
    dns->query = (struct am_dns_query){&ops, &dns->answer, false};
}

/* Takes the text up to the next line feed off `rest`. */
static inline struct am_span take_line(struct am_span *rest)
{
    size_t len = am_span_find(*rest, '\n'), step = len < rest->len ? len + 1 : len;
    struct am_span line = am_span_of(rest->ptr, len);

    *rest = am_span_of(rest->ptr + step, rest->len - step);
    return line;
}

/* Takes the header, "name:value" lines up to an empty one, off `rest`. */
static inline bool take_fields(struct dkim_fields *fields, struct am_span *rest)
{
    for (struct am_span line = take_line(rest); line.len > 0; line = take_line(rest)) {
        while (rest->len > 0 && (rest->ptr[0] == ' ' || rest->ptr[0] == '\t'))
            line.len = line.len + 1 + take_line(rest).len;
        size_t colon = am_span_find(line, ':');
        struct am_span value = am_span_of(line.ptr + colon, line.len - colon);
        if (value.len > 0)
            value = am_span_of(value.ptr + 1, value.len - 1);
        if (dkim_fields_add(fields, am_span_of(line.ptr, colon), value) == NULL)
            return false;
    }
    return dkim_fields_prepare(fields);
}

/* Whatever a signature says, it stays inside its own result. */
static inline void check_field(const struct dkim_report *report, struct am_arena *arena)
{
    for (size_t i = 0; i < report->count; i++) {
        struct ar_header *header = ar_header_new(NULL), *again;
        struct am_result result;
        char *text = NULL;

        dkim_module_result(&result, arena, &report->outcomes[i], 8, false);
        if (header == NULL || ar_header_set_id(header, "mx.example.org", 14) != AR_OK ||
            ar_header_add_result(header, result.method, result.result) != AR_OK)
            abort();
        for (size_t j = 0; j < result.property_count; j++) {
            const struct am_property *property = &result.properties[j];

            ar_header_add_property(header, property->ptype, property->property, property->value.ptr,
                                   property->value.len);
        }
        if (ar_header_format(header, NULL, &text, NULL) == AR_OK) {
            again = ar_header_parse(NULL, text, strlen(text), NULL, NULL);
            if (again == NULL || ar_header_result_count(again) != 1 ||
                ar_result_property_count(ar_header_result(again, 0)) !=
                    ar_result_property_count(ar_header_result(header, 0)))
                abort();
            ar_header_free(again);
            ar_free(NULL, text);
        }
        ar_header_free(header);
    }
}

#endif
