#ifndef TESTS_DMARC_SAMPLE_ROW_H
#define TESTS_DMARC_SAMPLE_ROW_H

#include "dmarc-milter/dmarc_row.h"

/* 30 November 2026, noon UTC. */
#define SAMPLE_NOON INT64_C(1796040000)

/* A message that passed, of a domain with a policy. */
static inline struct dmarc_row sample_row(void)
{
    return (struct dmarc_row){
        .time_s = SAMPLE_NOON,
        .policy_domain = "example.com",
        .p = "reject",
        .sp = "",
        .np = "",
        .adkim = "r",
        .aspf = "r",
        .fo = "0",
        .testing = "n",
        .rua = "mailto:dmarc@example.com",
        .source_ip = "192.0.2.1",
        .disposition = "none",
        .dkim = "pass",
        .spf = "fail",
        .header_from = "example.com",
        .envelope_from = "bounce.example.net",
        .signatures = {{"example.com", "s1", "pass"}},
        .signature_count = 1,
        .spf_domain = "bounce.example.net",
        .spf_scope = "mfrom",
        .spf_result = "pass",
    };
}

#endif
