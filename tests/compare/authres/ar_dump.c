/*
 * Reads header fields from standard input, each ended by a NUL, and prints what authres makes of
 * each: one JSON object per line, for the comparison with other libraries.
 *
 *     ar_dump strict|lenient
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "authres/authres.h"

static void print_string(const char *ptr, size_t len)
{
    putchar('"');
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)ptr[i];
        if (c == '"' || c == '\\')
            printf("\\%c", c);
        else if (c < 0x20)
            printf("\\u%04x", c);
        else
            putchar(c);
    }
    putchar('"');
}

static void print_text(struct ar_text text)
{
    if (text.ptr == NULL)
        fputs("null", stdout);
    else
        print_string(text.ptr, text.len);
}

static void print_version(long version)
{
    if (version < 0)
        fputs("null", stdout);
    else
        printf("%ld", version);
}

/* [method, version, result, reason, [[property, value], ...]] */
static void print_result(const struct ar_result *result)
{
    putchar('[');
    print_string(ar_result_method(result), strlen(ar_result_method(result)));
    putchar(',');
    print_version(ar_result_method_version(result));
    putchar(',');
    print_string(ar_result_word(result), strlen(ar_result_word(result)));
    putchar(',');
    print_text(ar_result_reason(result));
    fputs(",[", stdout);
    for (size_t i = 0; i < ar_result_property_count(result); i++) {
        const struct ar_property *property = ar_result_property(result, i);
        const char *ptype = ar_property_ptype(property);
        printf("%s[\"%s%s%s\",", i > 0 ? "," : "", ptype, *ptype != '\0' ? "." : "",
               ar_property_name(property));
        print_text(ar_property_value(property));
        putchar(']');
    }
    fputs("]]", stdout);
}

/* Comments in the order of the text, as far as the model tells it. */
static void print_comments(const struct ar_header *header)
{
    const char *comma = "";

    fputs(",\"comments\":[", stdout);
    for (size_t i = 0; i < ar_header_comment_count(header); i++, comma = ",") {
        fputs(comma, stdout);
        print_text(ar_comment_text(ar_header_comment(header, i)));
    }
    for (size_t i = 0; i < ar_header_result_count(header); i++) {
        const struct ar_result *result = ar_header_result(header, i);
        for (size_t j = 0; j < ar_result_comment_count(result); j++, comma = ",") {
            fputs(comma, stdout);
            print_text(ar_comment_text(ar_result_comment(result, j)));
        }
    }
    putchar(']');
}

static void print_header(const struct ar_header *header)
{
    fputs("{\"id\":", stdout);
    print_text(ar_header_id(header));
    fputs(",\"version\":", stdout);
    print_version(ar_header_version(header));
    printf(",\"instance\":%u,\"results\":[", ar_header_instance(header));
    for (size_t i = 0; i < ar_header_result_count(header); i++) {
        if (i > 0)
            putchar(',');
        print_result(ar_header_result(header, i));
    }
    putchar(']');
    print_comments(header);
    fputs(",\"forgiven\":[", stdout);
    for (size_t i = 0; i < ar_header_forgiven_count(header); i++) {
        struct ar_forgiven forgiven = ar_header_forgiven(header, i);
        printf("%s[%d,%zu]", i > 0 ? "," : "", (int)forgiven.pardon, forgiven.offset);
    }
    puts("]}");
}

static void dump(const char *field, size_t len, bool lenient)
{
    size_t start;
    struct ar_parse_options options = {.kind = ar_field_kind(field, len, &start),
                                       .lenient = lenient};
    struct ar_parse_error error;
    struct ar_header *header = ar_header_parse(NULL, field + start, len - start, &options, &error);

    if (header != NULL)
        print_header(header);
    else {
        fputs("{\"error\":", stdout);
        print_string(error.expected, strlen(error.expected));
        printf(",\"offset\":%zu}\n", error.offset);
    }
    ar_header_free(header);
}

int main(int argc, char **argv)
{
    char *line = NULL;
    size_t size = 0;
    ssize_t len;

    if (argc != 2 || (strcmp(argv[1], "strict") != 0 && strcmp(argv[1], "lenient") != 0)) {
        fputs("usage: ar_dump strict|lenient\n", stderr);
        return 64;
    }
    while ((len = getdelim(&line, &size, '\0', stdin)) > 0)
        dump(line, (size_t)len - 1, strcmp(argv[1], "lenient") == 0);
    free(line);
    return ferror(stdin) || fflush(stdout) != 0 ? 74 : 0;
}
