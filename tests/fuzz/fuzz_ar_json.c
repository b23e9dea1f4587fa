#include "authmilter/ar_json.h"
#include "tests/fuzz/authres_check.h"

/* Any JSON: what is taken makes a field that the strict reader takes, and JSON again. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ar_header *header = NULL;
    struct am_problem problem;
    json_t *json = json_loadb((const char *)data, size, JSON_ALLOW_NUL, NULL);

    if (json != NULL && ar_json_read(json, true, &header, &problem) == AR_OK) {
        json_t *written = ar_json_write(header, 0);
        check(written != NULL);
        check_written(header);
        json_decref(written);
    }
    ar_header_free(header);
    json_decref(json);
    return 0;
}
