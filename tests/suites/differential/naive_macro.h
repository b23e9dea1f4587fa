#ifndef TESTS_SUITES_DIFFERENTIAL_NAIVE_MACRO_H
#define TESTS_SUITES_DIFFERENTIAL_NAIVE_MACRO_H

#include "common/base/buf.h"
#include "spf-milter/spf.h"

/*
 * Expands a domain-spec word for word as RFC 7208 section 7.3 tells it: split,
 * reverse, keep, join. It shares no code with either engine.
 *
 * Returns: false when the spec holds %{p}, which needs the DNS.
 */
bool naive_macro_expand(const struct spf_request *request, const char *domain, struct am_span spec,
                        struct am_buf *out);

#endif
