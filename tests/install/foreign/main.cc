#include <authres.h>
#include <cstdio>
#include <cstring>

int main()
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
