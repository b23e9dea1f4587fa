#ifndef TESTS_FUZZ_SPF_REQUEST_H
#define TESTS_FUZZ_SPF_REQUEST_H

#include "common/dns/dns_zone.h"
#include "spf-milter/spf.h"

/* A request over a small zone that holds every mechanism and a loop; made once, never freed. */
static inline struct spf_request fuzz_spf_request(void)
{
    static const char text[] = "a.example. 60 IN TXT \"v=spf1 a mx ptr redirect=b.example\"\n"
                               "b.example. 60 IN TXT \"v=spf1 include:a.example ?all\"\n"
                               "a.example. 60 IN MX 1 a.example.\na.example. 60 IN A 192.0.2.1\n"
                               "1.2.0.192.in-addr.arpa. 60 IN PTR a.example.\n";
    static struct am_resolver *zone;
    if (zone == NULL)
        zone = am_dns_zone_parse(text, "fuzz", NULL);
    return (struct spf_request){.client = {4, {192, 0, 2, 1}},
                                .helo = am_span_str("h.example"),
                                .resolver = zone,
                                .clock = am_clock_system(),
                                .deadline_us = AM_NEVER,
                                .want_explanation = true};
}

#endif
