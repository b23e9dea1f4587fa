/* A configuration file: whatever is accepted must print, and load again to the same values. */
#include <stdlib.h>

#include "tests/support/sample_schema.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = strndup((const char *)data, size), *printed = NULL;
    struct am_problem problem;
    struct am_config *config, *again;
    size_t printed_size;

    config = am_config_parse(sample_schema, text, "fuzz", NULL, 0, &problem);
    if (config != NULL &&
        ((const struct sample_main *)am_config_section(config, "main"))->secret[0] == '\0') {
        FILE *out = open_memstream(&printed, &printed_size);
        am_config_print(config, true, out);
        fclose(out);
        again = am_config_parse(sample_schema, printed, "again", NULL, 0, &problem);
        if (again == NULL || am_config_digest(again, NULL) != am_config_digest(config, NULL))
            abort();
        am_config_free(again);
    }
    am_config_free(config);
    free(printed);
    free(text);
    return 0;
}
