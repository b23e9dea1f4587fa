#include "tests/suites/differential/abnf.h"

#include <arpa/inet.h>
#include <regex.h>
#include <stdio.h>
#include <string.h>

#define EXPAND "(%\\{[slodiphv](0*[1-9][0-9]*)?r?[-.+,/_=]*\\}|%%|%_|%-)"
#define STRING "(" EXPAND "|[!-$&-~])*"
#define TOPLABEL "([0-9a-z]*[a-z][0-9a-z]*|[0-9a-z]+-[-0-9a-z]*[0-9a-z])"
#define DOMAIN "(" STRING "(\\." TOPLABEL "\\.?|" EXPAND "))"
#define CIDR4 "(/(3[0-2]|[12][0-9]|[0-9]))"
#define CIDR6 "(/(12[0-8]|1[01][0-9]|[1-9][0-9]|[0-9]))"
#define DUAL "(" CIDR4 "?(/" CIDR6 ")?)"
#define OCTET "(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9][0-9]|[0-9])"
#define MECHANISM                                                                                  \
    "[-+~?]?(all|include:" DOMAIN "|(a|mx)(:" DOMAIN ")?" DUAL "|ptr(:" DOMAIN ")?"                \
    "|ip4:" OCTET "\\." OCTET "\\." OCTET "\\." OCTET CIDR4 "?|exists:" DOMAIN ")"
#define NETWORK6 "[-+~?]?ip6:([0-9a-f:.]+)" CIDR6 "?"
#define MODIFIER "[a-z][-_.0-9a-z]*=" STRING
#define KNOWN "(redirect|exp)="

/* The patterns, compiled when first used; a test may keep them for its lifetime. */
static const struct pattern {
    const char *text;
    size_t groups;
} patterns[] = {{MECHANISM, 0}, {NETWORK6, 3}, {MODIFIER, 0}, {KNOWN ".*", 0}, {KNOWN DOMAIN, 0}};
enum { IS_MECHANISM, IS_NETWORK6, IS_MODIFIER, IS_KNOWN, IS_KNOWN_WELL, PATTERN_COUNT };

static bool matches(int which, const char *text, regmatch_t *groups)
{
    static regex_t compiled[PATTERN_COUNT];
    static bool ready[PATTERN_COUNT];
    if (!ready[which]) {
        char whole[2048];
        snprintf(whole, sizeof(whole), "^(%s)$", patterns[which].text);
        if (regcomp(&compiled[which], whole, REG_EXTENDED | REG_ICASE) != 0)
            return false;
        ready[which] = true;
    }
    return regexec(&compiled[which], text, patterns[which].groups, groups, 0) == 0;
}

static bool is_network6(const char *term)
{
    regmatch_t groups[3];
    char text[64];
    unsigned char address[16];
    if (!matches(IS_NETWORK6, term, groups))
        return false;
    snprintf(text, sizeof(text), "%.*s", (int)(groups[2].rm_eo - groups[2].rm_so),
             term + groups[2].rm_so);
    return inet_pton(AF_INET6, text, address) == 1;
}

static bool is_term(const char *term)
{
    if (matches(IS_KNOWN, term, NULL))
        return matches(IS_KNOWN_WELL, term, NULL);
    return matches(IS_MECHANISM, term, NULL) || is_network6(term) ||
           matches(IS_MODIFIER, term, NULL);
}

/* Calls `visit` for each term; stops when it says false. */
static bool each_term(struct am_span record, bool (*visit)(const char *term, void *context),
                      void *context)
{
    char text[4096], *rest;
    snprintf(text, sizeof(text), "%.*s", (int)record.len, record.ptr);
    strtok_r(text, " ", &rest);
    for (char *term; (term = strtok_r(NULL, " ", &rest)) != NULL;)
        if (!visit(term, context))
            return false;
    return true;
}

static bool check_term(const char *term, void *context)
{
    (void)context;
    return is_term(term);
}

bool abnf_accepts(struct am_span record)
{
    return each_term(record, check_term, NULL);
}

static bool count_modifier(const char *term, void *context)
{
    unsigned *seen = context;
    if (strncasecmp(term, "redirect=", 9) == 0)
        return ++seen[0] < 2;
    if (strncasecmp(term, "exp=", 4) == 0)
        return ++seen[1] < 2;
    return true;
}

bool abnf_has_second_modifier(struct am_span record)
{
    unsigned seen[2] = {0, 0};
    return !each_term(record, count_modifier, seen);
}

bool abnf_has_refused_feature(struct am_span record)
{
    char text[4096];
    regex_t regex;
    snprintf(text, sizeof(text), "%.*s", (int)record.len, record.ptr);
    if (regcomp(&regex, "/0([ /]|$)|%\\{.[0-9]*R|%\\{[^}]*[/,]| [-_0-9A-Za-z]*\\.[-_.0-9A-Za-z]*=",
                REG_EXTENDED) != 0)
        return false;
    bool found = regexec(&regex, text, 0, NULL, 0) == 0;
    regfree(&regex);
    return found;
}
