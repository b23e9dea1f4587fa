#include "contrib/mime/danger.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/utf8.h"

const char am_danger_defaults[] =
    "action,ade,adp,apk,app,application,appref-ms,appx,appxbundle,asd,asx,bas,bat,cdxml,chm,cmd,"
    "com,"
    "cpl,crt,csh,diagcab,dll,exe,fxp,gadget,grp,hlp,hpj,hta,htc,img,inf,ins,iqy,iso,isp,jar,jnlp,"
    "js,jse,ksh,library-ms,lnk,mad,maf,mag,mam,mar,mas,mat,mau,mav,maw,mcf,mda,mdb,mde,mdt,mdw,"
    "mdz,msc,msh,msh1,msh1xml,msh2,msh2xml,mshxml,msi,msix,msixbundle,msp,mst,ocx,one,ops,pcd,pif,"
    "pkg,plg,prf,prg,printerexport,ps1,ps1xml,ps2,ps2xml,psc1,psc2,psd1,psdm1,pst,py,pyc,pyo,pyw,"
    "pyz,pyzw,reg,scf,scr,sct,search-ms,settingcontent-ms,shb,shs,slk,sys,theme,tmp,udl,url,vb,vbe,"
    "vbp,vbs,vhd,vhdx,vsmacros,vsw,vxd,webpnp,website,ws,wsb,wsc,wsf,wsh,xbap,xll,xnk";

struct am_danger {
    const char **extensions; /* sorted, lower case, without dot */
    size_t count;
};

static int compare(const void *a, const void *b)
{
    const char *const *left = a;
    const char *const *right = b;
    return strcmp(*left, *right);
}

static void lower(char *text)
{
    for (; *text != '\0'; text++)
        *text = am_lower(*text);
}

const struct am_danger *am_danger_new(struct am_arena *arena, const struct am_strlist *extensions)
{
    struct am_danger *danger = am_arena_alloc(arena, sizeof(*danger));
    if (danger == NULL)
        return NULL;
    danger->extensions =
        am_arena_alloc(arena, (extensions->count + 1) * sizeof(*danger->extensions));
    if (danger->extensions == NULL)
        return NULL;
    for (size_t i = 0; i < extensions->count; i++) {
        const char *text = extensions->items[i];
        char *copy = am_arena_copy(arena, am_span_str(text + (text[0] == '.')));
        if (copy == NULL)
            return NULL;
        lower(copy);
        danger->extensions[danger->count++] = copy;
    }
    qsort(danger->extensions, danger->count, sizeof(*danger->extensions), compare);
    return danger;
}

/* --- names --- */

enum character { ORDINARY, INVISIBLE, TURNING };

/* U+FFFD is what a NUL became on its way here, or what a decoder made of something. */
static bool is_nul(struct am_span character)
{
    return (character.len == 1 && character.ptr[0] == '\0') ||
           (character.len == 3 && memcmp(character.ptr, "\xEF\xBF\xBD", 3) == 0);
}

/* What is not seen: zero-width characters, directional marks; and what turns the text around. */
static enum character kind_of(struct am_span character)
{
    static const char *const turning[] = {"\xE2\x80\xAD", "\xE2\x80\xAE"}; /* U+202D, U+202E */
    static const char *const invisible[] = {
        "\xC2\xAD",     "\xD8\x9C",     "\xE2\x80\x8B", "\xE2\x80\x8C",
        "\xE2\x80\x8D", "\xE2\x80\x8E", "\xE2\x80\x8F", "\xE2\x80\xAA",
        "\xE2\x80\xAB", "\xE2\x80\xAC", "\xE2\x81\xA0", "\xE2\x81\xA6",
        "\xE2\x81\xA7", "\xE2\x81\xA8", "\xE2\x81\xA9", "\xEF\xBB\xBF"};
    for (size_t i = 0; i < sizeof(turning) / sizeof(turning[0]); i++) {
        if (am_span_equal(character, am_span_str(turning[i])))
            return TURNING;
    }
    for (size_t i = 0; i < sizeof(invisible) / sizeof(invisible[0]); i++) {
        if (am_span_equal(character, am_span_str(invisible[i])))
            return INVISIBLE;
    }
    return character.len > 0 && am_utf8_is_control(character.ptr, character.len) ? INVISIBLE
                                                                                 : ORDINARY;
}

/* Behind the last slash or backslash. */
static struct am_span last_piece(struct am_span name)
{
    for (size_t i = name.len; i > 0; i--) {
        if (name.ptr[i - 1] == '/' || name.ptr[i - 1] == '\\')
            return am_span_of(name.ptr + i, name.len - i);
    }
    return name;
}

/* Windows drops blanks and dots at the end; mailers leave quotes there. */
static struct am_span trimmed(struct am_span name)
{
    while (name.len > 0 && strchr(" .\"'\t", name.ptr[name.len - 1]) != NULL)
        name.len--;
    return name;
}

static const char *judge_extension(const struct am_danger *danger, struct am_arena *arena,
                                   struct am_span name)
{
    name = trimmed(name);
    size_t dot = am_span_find_last(name, '.');
    if (dot == name.len)
        return NULL;
    struct am_span kind = am_span_of(name.ptr + dot + 1, name.len - dot - 1);
    if (kind.len > 1 && kind.ptr[0] == '{' && kind.ptr[kind.len - 1] == '}')
        return "its kind: the number of a class";
    char *key = am_arena_copy(arena, kind);
    if (key == NULL)
        return "memory is short";
    lower(key);
    const char *const *found =
        bsearch(&key, danger->extensions, danger->count, sizeof(*danger->extensions), compare);
    if (found == NULL)
        return NULL;
    struct am_span before = trimmed(am_span_of(name.ptr, dot));
    bool second = am_span_find_last(before, '.') < before.len &&
                  before.len - am_span_find_last(before, '.') <= 5;
    const char *why =
        am_arena_printf(arena, "its kind: %s%s", *found, second ? ", behind another one" : "");
    return why == NULL ? "memory is short" : why;
}

/* Colons end a name on Windows (streams), and NULs everywhere in C: every beginning counts. */
static const char *judge_beginnings(const struct am_danger *danger, struct am_arena *arena,
                                    struct am_span visible)
{
    for (size_t i = 0; i <= visible.len; i++) {
        bool end = i == visible.len || visible.ptr[i] == ':' || visible.ptr[i] == '\0';
        const char *why =
            end ? judge_extension(danger, arena, last_piece(am_span_of(visible.ptr, i))) : NULL;
        if (why != NULL)
            return why;
    }
    return NULL;
}

const char *am_danger_of_name(const struct am_danger *danger, struct am_arena *arena,
                              struct am_span name)
{
    /* Names are short; what is far too long is judged by its end, which decides. */
    enum { LONGEST = 4096 };
    if (name.len > LONGEST)
        name = am_span_of(name.ptr + name.len - LONGEST, LONGEST);
    char *visible = am_arena_alloc(arena, name.len + 1);
    char *joined = am_arena_alloc(arena, name.len + 1);
    size_t len = 0, joined_len = 0, colons = 0;
    if (visible == NULL || joined == NULL)
        return "memory is short";
    while (name.len > 0) {
        size_t width = am_utf8_first(name);
        struct am_span character = am_span_of(name.ptr, width == 0 ? 1 : width);
        enum character kind = width == 0 ? ORDINARY : kind_of(character);
        if (kind == TURNING)
            return "characters in its name turn it around";
        if (is_nul(character) || character.ptr[0] == ':') {
            if (colons++ < 16)
                visible[len++] = '\0';
        } else if (kind == ORDINARY) {
            memcpy(visible + len, character.ptr, character.len);
            len += character.len;
            memcpy(joined + joined_len, character.ptr, character.len);
            joined_len += character.len;
        }
        name = am_span_of(name.ptr + character.len, name.len - character.len);
    }
    const char *why = judge_beginnings(danger, arena, am_span_of(visible, len));
    return why != NULL ? why
                       : judge_extension(danger, arena, last_piece(am_span_of(joined, joined_len)));
}

/* --- contents --- */

const char *am_danger_of_content(struct am_span head)
{
    static const struct {
        const char *octets;
        size_t len;
        const char *what;
    } kinds[] = {{"MZ", 2, "a Windows program"},
                 {"\x7f"
                  "ELF",
                  4, "a Unix program"},
                 {"L\0\0\0\x01\x14\x02\0", 8, "a Windows link"},
                 {"\xCF\xFA\xED\xFE", 4, "a macOS program"},
                 {"\xCE\xFA\xED\xFE", 4, "a macOS program"},
                 {"ITSF", 4, "a compiled help file"},
                 {"dex\n", 4, "an Android program"}};
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        /* "MZ" alone may begin a text. */
        if (head.len >= (kinds[i].len == 2 ? AM_DANGER_HEAD : kinds[i].len) &&
            memcmp(head.ptr, kinds[i].octets, kinds[i].len) == 0 &&
            (kinds[i].len != 2 || memchr(head.ptr, '\0', AM_DANGER_HEAD) != NULL))
            return kinds[i].what;
    }
    return NULL;
}
