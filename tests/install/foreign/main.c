#include <authres.h>
#include <stdio.h>
#include <string.h>

int main(void)
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
