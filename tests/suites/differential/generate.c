#include "tests/suites/differential/generate.h"

#include <stdio.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Addresses of clients, hosts and networks: few, so that they meet. */
static const char *const addresses4[] = {"192.0.2.1", "192.0.2.2", "192.0.2.129", "198.51.100.7",
                                         "203.0.113.9"};
static const char *const addresses6[] = {"2001:db8::1", "2001:db8::2", "2001:db8:8000::1",
                                         "2001:db9::7"};

unsigned generate_number(struct generator *generator, unsigned bound)
{
    uint64_t x = generator->state; /* xorshift64* */
    x ^= x >> 12;
    x ^= x << 25;
    x ^= x >> 27;
    generator->state = x;
    return (unsigned)((x * 2685821657736338717u) >> 33) % bound;
}

static bool one_in(struct generator *generator, unsigned n)
{
    return generate_number(generator, n) == 0;
}

static const char *pick(struct generator *generator, const char *const *list, size_t count)
{
    return list[generate_number(generator, (unsigned)count)];
}

static void add_macro(struct generator *g, struct am_buf *out)
{
    static const char letters[] = "slodiphvSLODIPHV";
    static const char *const transformers[] = {"",  "",  "",   "",   "1",  "2",
                                               "3", "r", "1r", "2r", "10", "R"};
    static const char *const delimiters[] = {"",  "",  "",   "",   "",  "",
                                             "-", "+", ".-", "=_", "_", "/,"};
    if (one_in(g, 12)) {
        am_buf_add_str(out, one_in(g, 2) ? "%%" : one_in(g, 2) ? "%_" : "%-");
        return;
    }
    am_buf_printf(out, "%%{%c%s%s}", letters[generate_number(g, 16)],
                  pick(g, transformers, COUNT(transformers) - !one_in(g, 8)),
                  pick(g, delimiters, COUNT(delimiters) - !one_in(g, 8)));
}

static void add_host(struct generator *g, struct am_buf *out)
{
    switch (generate_number(g, 12)) {
    case 0:
        am_buf_printf(out, "nx%u.example", generate_number(g, 4));
        break;
    case 1:
        am_buf_printf(out, "D%u.Example.", generate_number(g, GENERATE_DOMAINS));
        break;
    case 2:
        am_buf_printf(out, "h%u.d%u.example", generate_number(g, 3),
                      generate_number(g, GENERATE_DOMAINS));
        break;
    default:
        am_buf_printf(out, "d%u.example", generate_number(g, GENERATE_DOMAINS));
    }
}

static void add_domain_spec(struct generator *g, struct am_buf *out)
{
    if (one_in(g, 4)) {
        for (unsigned i = 1 + generate_number(g, 2); i > 0; i--) {
            add_macro(g, out);
            am_buf_add_char(out, '.');
        }
    }
    if (one_in(g, 16))
        add_macro(g, out);
    else
        add_host(g, out);
}

static void add_dual_cidr(struct generator *g, struct am_buf *out)
{
    static const char *const cidrs[] = {"/24", "/32", "//64", "/25//128",
                                        "/0",  "//0", "/33",  "/08"};
    if (one_in(g, 4))
        am_buf_add_str(out, pick(g, cidrs, one_in(g, 8) ? COUNT(cidrs) : COUNT(cidrs) - 3));
}

static void add_network(struct generator *g, struct am_buf *out)
{
    bool v4 = one_in(g, 2);
    static const char *const cidr4[] = {"", "", "/24", "/25", "/32", "/31", "/8", "/30"};
    static const char *const cidr6[] = {"", "", "/32", "/33", "/128", "/127", "/64", "/16"};
    am_buf_printf(out, "%s:%s%s", v4 ? "ip4" : "ip6",
                  v4 ? pick(g, addresses4, COUNT(addresses4))
                     : pick(g, addresses6, COUNT(addresses6)),
                  v4 ? pick(g, cidr4, COUNT(cidr4)) : pick(g, cidr6, COUNT(cidr6)));
}

static void add_mechanism(struct generator *g, struct am_buf *out)
{
    static const char qualifiers[] = "+-~?";
    if (one_in(g, 4))
        am_buf_add_char(out, qualifiers[generate_number(g, 4)]);
    switch (generate_number(g, 9)) {
    case 0:
    case 1:
        am_buf_add_str(out, "include:");
        add_domain_spec(g, out);
        break;
    case 2:
    case 3:
        am_buf_add_str(out, one_in(g, 2) ? "a" : "mx");
        if (one_in(g, 2)) {
            am_buf_add_char(out, ':');
            add_domain_spec(g, out);
        }
        add_dual_cidr(g, out);
        break;
    case 4:
        am_buf_add_str(out, "exists:");
        add_domain_spec(g, out);
        break;
    case 5:
        am_buf_add_str(out, "ptr");
        if (one_in(g, 2)) {
            am_buf_add_char(out, ':');
            add_domain_spec(g, out);
        }
        break;
    default:
        add_network(g, out);
    }
}

static void add_modifier(struct generator *g, struct am_buf *out)
{
    switch (generate_number(g, 4)) {
    case 0:
        am_buf_add_str(out, " exp=x.example");
        break;
    case 1:
        am_buf_add_str(out, one_in(g, 4) ? " m.x-1_=" : " m-1_=");
        add_macro(g, out);
        break;
    default:
        am_buf_add_str(out, " redirect=");
        add_domain_spec(g, out);
    }
}

/* One octet replaced: most of what this makes is wrong in an interesting way. */
static void damage(struct generator *g, struct am_buf *record)
{
    static const char octets[] = "/:=.%{}0-_ Aar9";
    size_t at = 7 + generate_number(g, (unsigned)record->len - 7);
    record->data[at] = octets[generate_number(g, sizeof(octets) - 1)];
}

static void add_record(struct generator *g, struct am_buf *out)
{
    static const char *const ends[] = {" -all", " ~all", " ?all", " +all", " -ALL", ""};
    struct am_buf record;
    am_buf_init(&record, 0);
    am_buf_add_str(&record, one_in(g, 8) ? "V=SPF1" : "v=spf1");
    for (unsigned n = one_in(g, 16) ? 11 : 0; n > 0; n--) /* passes the limit of terms, no void */
        am_buf_printf(&record, " a:h%u.d%u.example", n % 3, n % GENERATE_DOMAINS);
    for (unsigned n = one_in(g, 10) ? 12 : generate_number(g, 5); n > 0; n--) {
        am_buf_add_str(&record, one_in(g, 16) ? "  " : " ");
        add_mechanism(g, &record);
    }
    while (one_in(g, 3))
        add_modifier(g, &record);
    am_buf_add_str(&record, pick(g, ends, COUNT(ends)));
    if (one_in(g, 12) && record.len > 8)
        damage(g, &record);
    am_buf_add_char(out, '"');
    for (size_t i = 0; i < record.len; i++) {
        if (i > 0 && i % 200 == 0)
            am_buf_add_str(out, "\" \"");
        am_buf_add_char(out, record.data[i]);
    }
    am_buf_add_str(out, "\"\n");
    am_buf_fini(&record);
}

static void add_hosts(struct generator *g, unsigned domain, struct am_buf *out)
{
    for (unsigned n = generate_number(g, 3); n > 0; n--)
        am_buf_printf(out, "d%u.example. 60 IN A %s\n", domain,
                      pick(g, addresses4, COUNT(addresses4)));
    if (one_in(g, 2))
        am_buf_printf(out, "d%u.example. 60 IN AAAA %s\n", domain,
                      pick(g, addresses6, COUNT(addresses6)));
    for (unsigned n = one_in(g, 20) ? 11 : generate_number(g, 4); n > 0; n--)
        am_buf_printf(out, "d%u.example. 60 IN MX %u h%u.d%u.example.\n", domain, n,
                      generate_number(g, 4), generate_number(g, GENERATE_DOMAINS));
    for (unsigned host = 0; host < 3; host++)
        am_buf_printf(out, "h%u.d%u.example. 60 IN A %s\n", host, domain,
                      pick(g, addresses4, COUNT(addresses4)));
}

static void add_reverse(struct generator *g, struct am_buf *out)
{
    static const char *const names[] = {"1.2.0.192", "2.2.0.192", "129.2.0.192", "7.100.51.198"};
    for (size_t i = 0; i < COUNT(names); i++)
        for (unsigned n = generate_number(g, 3); n > 0; n--)
            am_buf_printf(out, "%s.in-addr.arpa. 60 IN PTR h%u.d%u.example.\n", names[i],
                          generate_number(g, 3), generate_number(g, GENERATE_DOMAINS));
}

void generate_zone(struct generator *g, struct am_buf *out)
{
    am_buf_add_str(out, "x.example. 60 IN TXT \"%{i} may not send for %{o}\"\n");
    for (unsigned domain = 0; domain < GENERATE_DOMAINS; domain++) {
        for (unsigned n = one_in(g, 16) ? generate_number(g, 3) : 1; n > 0; n--) {
            am_buf_printf(out, "d%u.example. 60 IN TXT ", domain);
            add_record(g, out);
        }
        add_hosts(g, domain, out);
        if (one_in(g, 24))
            am_buf_printf(out, ";!servfail d%u.example %s\n", domain,
                          one_in(g, 2)   ? "A"
                          : one_in(g, 2) ? "TXT"
                                         : "MX");
    }
    add_reverse(g, out);
}

const char *generate_client(struct generator *g)
{
    return one_in(g, 4) ? pick(g, addresses6, COUNT(addresses6))
                        : pick(g, addresses4, COUNT(addresses4));
}

const char *generate_helo(struct generator *g)
{
    static char text[64];
    snprintf(text, sizeof(text), "h%u.d%u.example", generate_number(g, 4),
             generate_number(g, GENERATE_DOMAINS));
    return text;
}

const char *generate_sender(struct generator *g)
{
    static const char *const locals[] = {"user", "a.b-c", "strong-bad", "x+y=z", "Up_Per"};
    static char text[64];
    snprintf(text, sizeof(text), "%s@d%u.example", pick(g, locals, COUNT(locals)),
             generate_number(g, GENERATE_DOMAINS));
    return text;
}
