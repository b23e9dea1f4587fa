#include "authres/ar_chars.h"
#include "authres/authres.h"

/* Returns the length of `name` (in small letters) when the text begins with it, else 0. */
static size_t begins_with(const char *text, size_t len, const char *name)
{
    size_t i = 0;

    while (i < len && name[i] != '\0' && ar_lower((unsigned char)text[i]) == (unsigned char)name[i])
        i++;
    return name[i] == '\0' ? i : 0;
}

enum ar_kind ar_field_kind(const char *field, size_t len, size_t *value_offset)
{
    static const char name[] = "arc-authentication-results";
    static const struct {
        const char *name;
        enum ar_kind kind;
    } kinds[] = {{name + 4, AR_KIND_AR}, {name, AR_KIND_ARC}};

    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        size_t at = begins_with(field, len, kinds[i].name);
        if (at == 0)
            continue;
        /* Blanks before the colon are obsolete, not wrong (RFC 5322 section 4.5). */
        while (at < len && ar_is((unsigned char)field[at], AR_C_BLANK))
            at++;
        if (at < len && field[at] == ':') {
            *value_offset = at + 1;
            return kinds[i].kind;
        }
    }
    *value_offset = 0;
    return AR_KIND_ANY;
}
