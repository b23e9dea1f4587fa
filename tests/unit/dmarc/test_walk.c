#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/dns/dns_zone.h"
#include "dmarc-milter/dmarc_walk.h"

/* The tree walk, name by name (RFC 9989 sections 4.10 and B.4). */

static const char zone[] = "_dmarc.example.com. 60 IN TXT \"v=DMARC1; p=none\"\n"
                           "_dmarc.signing.example.com. 60 IN TXT \"v=DMARC1; p=none\"\n"
                           "_dmarc.bank.example. 60 IN TXT \"v=DMARC1; p=none; psd=y\"\n"
                           "_dmarc.giant.bank.example. 60 IN TXT \"v=DMARC1; p=none\"\n"
                           "_dmarc.dept.example.com. 60 IN TXT \"v=DMARC1; p=none; psd=n\"\n"
                           "_dmarc.twice.example.com. 60 IN TXT \"v=DMARC1; p=none\"\n"
                           "_dmarc.twice.example.com. 60 IN TXT \"v=DMARC1; p=reject\"\n"
                           "_dmarc.own.example.com. 60 IN TXT \"v=DMARC1; p=none; psd=y\"\n"
                           "_dmarc.c.d.e.f.g.long.example. 60 IN TXT \"v=DMARC1; p=none; psd=y\"\n"
                           ";!servfail _dmarc.lame.example.com txt\n";

static const char *describe(const char *domain)
{
    static char text[1024];
    struct am_problem problem;
    struct am_resolver *resolver = am_dns_zone_parse(zone, "zone", &problem);
    struct am_arena *arena = am_arena_new(4096, 0);
    struct dmarc_names names = {.resolver = resolver,
                                .arena = arena,
                                .deadline_us = am_deadline_in_ms(am_clock_system(), 5000)};
    struct dmarc_walk walk;

    if (resolver == NULL)
        fail_msg("%s", problem.text);
    assert_true(dmarc_walk(&walk, &names, domain));
    assert_true(walk.count <= DMARC_WALK_MAX && names.queries == walk.count);
    text[0] = '\0';
    for (size_t i = 0; i < walk.count; i++) {
        strcat(text, walk.names[i]->domain);
        strcat(text, walk.names[i]->has_record ? "* " : " ");
    }
    if (walk.failed != NULL) {
        strcat(strcat(text, "? "), walk.failed->domain);
    } else {
        const struct dmarc_name *policy = dmarc_walk_policy(&walk);

        strcat(strcat(text, "= "), dmarc_walk_organisation(&walk));
        strcat(strcat(text, ", "), policy == NULL ? "-" : policy->domain);
    }
    /* A second walk asks nobody. */
    unsigned queries = names.queries;
    assert_true(dmarc_walk(&walk, &names, domain));
    assert_int_equal(names.queries, queries);
    am_arena_free(arena);
    am_resolver_free(resolver);
    return text;
}

static void walks(void **state)
{
    static const struct {
        const char *domain, *expected;
    } rows[] = {
        {"example.com", "example.com* com = example.com, example.com"},
        {"signing.example.com",
         "signing.example.com* example.com* com = example.com, signing.example.com"},
        {"other.example.com", "other.example.com example.com* com = example.com, example.com"},
        {"example.net", "example.net net = example.net, -"},
        {"com", "com = com, -"},
        {"a.b.c.d.e.f.g.h.i.j.k.example.com",
         "a.b.c.d.e.f.g.h.i.j.k.example.com g.h.i.j.k.example.com h.i.j.k.example.com "
         "i.j.k.example.com j.k.example.com k.example.com example.com* com = example.com, "
         "example.com"},
        {"a.b.c.d.e.f.example.com",
         "a.b.c.d.e.f.example.com b.c.d.e.f.example.com c.d.e.f.example.com d.e.f.example.com "
         "e.f.example.com f.example.com example.com* com = example.com, example.com"},
        {"a.b.c.d.e.example.com",
         "a.b.c.d.e.example.com b.c.d.e.example.com c.d.e.example.com d.e.example.com "
         "e.example.com example.com* com = example.com, example.com"},
        {"giant.bank.example",
         "giant.bank.example* bank.example* = giant.bank.example, giant.bank.example"},
        {"mail.giant.bank.example",
         "mail.giant.bank.example giant.bank.example* bank.example* = giant.bank.example, "
         "giant.bank.example"},
        {"mail.mega.bank.example",
         "mail.mega.bank.example mega.bank.example bank.example* = mega.bank.example, "
         "bank.example"},
        {"mega.bank.example", "mega.bank.example bank.example* = mega.bank.example, bank.example"},
        {"bank.example", "bank.example* = bank.example, bank.example"},
        {"a.dept.example.com",
         "a.dept.example.com dept.example.com* = dept.example.com, dept.example.com"},
        {"dept.example.com", "dept.example.com* = dept.example.com, dept.example.com"},
        {"own.example.com", "own.example.com* = own.example.com, own.example.com"},
        {"twice.example.com", "twice.example.com example.com* com = example.com, example.com"},
        {"a.lame.example.com", "a.lame.example.com lame.example.com ? lame.example.com"},
        {"lame.example.com", "lame.example.com ? lame.example.com"},
        /* A suffix right where the middle of a long name was passed over. */
        {"x.y.z.a.b.c.d.e.f.g.long.example",
         "x.y.z.a.b.c.d.e.f.g.long.example c.d.e.f.g.long.example* = b.c.d.e.f.g.long.example, "
         "c.d.e.f.g.long.example"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        assert_string_equal(describe(rows[i].domain), rows[i].expected);
}

static void says_when_memory_is_short(void **state)
{
    struct am_problem problem;
    struct am_resolver *resolver = am_dns_zone_parse(zone, "zone", &problem);
    struct am_arena *arena = am_arena_new(64, 64);
    struct dmarc_names names = {.resolver = resolver,
                                .arena = arena,
                                .deadline_us = am_deadline_in_ms(am_clock_system(), 5000)};
    struct dmarc_walk walk;

    (void)state;
    assert_false(dmarc_walk(&walk, &names, "example.com"));
    assert_true(names.no_memory);
    am_arena_free(arena);
    am_resolver_free(resolver);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(walks),
        cmocka_unit_test(says_when_memory_is_short),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
