#ifndef AUTHMILTER_TOOL_JSON_H
#define AUTHMILTER_TOOL_JSON_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "common/base/span.h"

/* Makes a JSON string of any octets: what is no printable UTF-8 is escaped as \xNN first. Returns
 * NULL when memory is short. */
json_t *tool_json_text(struct am_span text);

/* The same of a string; NULL is null. */
json_t *tool_json_str(const char *text);

/* Writes the object (NULL: memory was short) with a line end, and drops it. Returns false when it
 * was not written. */
bool tool_json_print(json_t *object, FILE *out);

#endif
