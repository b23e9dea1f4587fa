#include <authres.h>
#include <stdio.h>
#include <string.h>

/* Writes a field step by step, as every version could. */
static int write_field(void)
{
    const char *from = "user@example.com";
    const char *const ids[] = {"MX.example.org."};
    struct ar_header *h = ar_header_new(NULL);
    char *text = NULL;
    int code = 1;

    if (h != NULL && ar_header_set_id(h, "mx.example.org", 14) == AR_OK &&
        ar_header_add_result(h, "spf", "pass") == AR_OK &&
        ar_header_add_property(h, "smtp", "mailfrom", from, strlen(from)) == AR_OK &&
        ar_header_format(h, NULL, &text, NULL) == AR_OK &&
        ar_claims_id(text, strlen(text), ids, 1)) {
        printf("Authentication-Results: %s\n", text);
        code = 0;
    }
    ar_free(NULL, text);
    ar_header_free(h);
    return code;
}

/* The same with the helpers, one line a result. */
static int write_with_helpers(void)
{
    const struct ar_spf spf = {.result = "fail", .mailfrom = "user@example.com"};
    const struct ar_dmarc dmarc = {.result = "pass", .from = "example.com", .policy = "none"};
    struct ar_header *h = ar_header_new(NULL);
    char *text = NULL;
    int code = 1;

    if (h != NULL && ar_header_set_id(h, "mx.example.org", 14) == AR_OK &&
        ar_header_set_instance(h, 1) == AR_OK && ar_add_spf(h, &spf) == AR_OK &&
        ar_add_dmarc(h, &dmarc) == AR_OK && ar_header_format(h, NULL, &text, NULL) == AR_OK) {
        printf("ARC-Authentication-Results: %s\n", text);
        code = 0;
    }
    ar_free(NULL, text);
    ar_header_free(h);
    return code;
}

static int read_stack(void)
{
    static const char *const fields[] = {
        "Authentication-Results: mx.example.org; dkim=pass header.d=example.com",
        "Authentication-Results: mx.example.com 1;; spf=pass;",
        "Authentication-Results: other.example; dkim=fail"};
    static const char *const ids[] = {"mx.example.org", "mx.example.com"};
    const struct ar_trust trust = {.ids = ids, .id_count = 2};
    struct ar_header *headers[3];
    struct ar_cursor cursor = {0, 0};
    const struct ar_result *result;

    for (size_t i = 0; i < 3; i++) {
        struct ar_parse_options options = {.lenient = true};
        size_t value;
        options.kind = ar_field_kind(fields[i], strlen(fields[i]), &value);
        headers[i] =
            ar_header_parse(NULL, fields[i] + value, strlen(fields[i]) - value, &options, NULL);
        if (headers[i] == NULL)
            return 1;
        printf("forgiven: %u\n", (unsigned)ar_header_forgiven_count(headers[i]));
    }
    while ((result = ar_trusted_next((const struct ar_header *const *)headers, 3, &trust, NULL,
                                     &cursor)) != NULL)
        printf("trusted: %s=%s\n", ar_result_method(result), ar_result_word(result));
    for (size_t i = 0; i < 3; i++)
        ar_header_free(headers[i]);
    return 0;
}

int main(void)
{
    printf("%s is %sregistered\n", "dkim", ar_registry_find("dkim") != NULL ? "" : "not ");
    return write_field() + write_with_helpers() + read_stack();
}
