#include <authres.h>
#include <cstdio>
#include <cstring>

// Writes again what it read.
static int read_and_write()
{
    const char *value = " mx.example.org;\r\n\tspf=pass smtp.mailfrom=user@example.com\r\n";
    ar_parse_error error;
    ar_header *h = ar_header_parse(nullptr, value, std::strlen(value), nullptr, &error);
    char *text = nullptr;

    if (h == nullptr || ar_header_format(h, nullptr, &text, nullptr) != AR_OK)
        return 1;
    std::printf("Authentication-Results: %s\n", text);
    ar_free(nullptr, text);
    ar_header_free(h);
    return 0;
}

static int write_with_helpers()
{
    ar_header *h = ar_header_new(nullptr);
    char *text = nullptr;
    ar_spf spf = {};
    ar_dmarc dmarc = {};

    spf.result = "fail";
    spf.mailfrom = "user@example.com";
    dmarc.result = "pass";
    dmarc.from = "example.com";
    dmarc.policy = "none";
    if (h == nullptr || ar_header_set_id(h, "mx.example.org", 14) != AR_OK ||
        ar_header_set_instance(h, 1) != AR_OK || ar_add_spf(h, &spf) != AR_OK ||
        ar_add_dmarc(h, &dmarc) != AR_OK || ar_header_format(h, nullptr, &text, nullptr) != AR_OK)
        return 1;
    std::printf("ARC-Authentication-Results: %s\n", text);
    ar_free(nullptr, text);
    ar_header_free(h);
    return 0;
}

static int read_stack()
{
    static const char *const values[] = {"mx.example.org; dkim=pass header.d=example.com",
                                         "mx.example.com 1;; spf=pass;",
                                         "other.example; dkim=fail"};
    static const char *const ids[] = {"mx.example.org", "mx.example.com"};
    const ar_header *headers[3];
    ar_parse_options options = {};
    ar_trust trust = {};
    ar_cursor cursor = {};

    options.kind = AR_KIND_AR;
    options.lenient = true;
    trust.ids = ids;
    trust.id_count = 2;
    for (int i = 0; i < 3; i++) {
        headers[i] = ar_header_parse(nullptr, values[i], std::strlen(values[i]), &options, nullptr);
        if (headers[i] == nullptr)
            return 1;
        std::printf("forgiven: %u\n", (unsigned)ar_header_forgiven_count(headers[i]));
    }
    while (const ar_result *result = ar_trusted_next(headers, 3, &trust, nullptr, &cursor))
        std::printf("trusted: %s=%s\n", ar_result_method(result), ar_result_word(result));
    for (const ar_header *header : headers)
        ar_header_free(const_cast<ar_header *>(header));
    return 0;
}

int main()
{
    std::printf("%s is %sregistered\n", "dkim", ar_registry_find("dkim") != nullptr ? "" : "not ");
    return read_and_write() + write_with_helpers() + read_stack();
}
