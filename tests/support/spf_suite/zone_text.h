#ifndef TESTS_SUPPORT_SPF_SUITE_ZONE_TEXT_H
#define TESTS_SUPPORT_SPF_SUITE_ZONE_TEXT_H

#include <yaml.h>

#include "common/base/buf.h"

/* Appends the zone data of one scenario (the mapping node) as a master file. */
void spf_suite_write_zone(yaml_document_t *document, yaml_node_t *zone, struct am_buf *out);

#endif
