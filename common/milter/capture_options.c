#include "common/milter/capture.h"

static const struct am_choice header_words[] = {{"none", AM_CAPTURE_HEADER_NONE},
                                                {"auth", AM_CAPTURE_HEADER_AUTH},
                                                {"full", AM_CAPTURE_HEADER_FULL},
                                                {NULL, 0}};
static const struct am_choice body_words[] = {{"none", AM_CAPTURE_BODY_NONE},
                                              {"hash", AM_CAPTURE_BODY_HASH},
                                              {"full", AM_CAPTURE_BODY_FULL},
                                              {NULL, 0}};

static bool check_word(const char *value, struct am_problem *problem)
{
    static const char *const words[] = {"pass",       "fail",      "softfail",  "neutral",
                                        "none",       "temperror", "permerror", "policy",
                                        "accept",     "tempfail",  "reject",    "discard",
                                        "quarantine", "refused",   "observed",  "failure"};

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (strcmp(words[i], value) == 0)
            return true;
    return am_problem_set(problem,
                          "\"%s\" is no result (pass, fail, softfail, neutral, none, temperror, "
                          "permerror, policy), no action (accept, tempfail, reject, discard, "
                          "quarantine) and not refused, observed or failure",
                          value);
}

static bool check_path(const char *value, struct am_problem *problem)
{
    return value[0] == '/' || am_problem_set(problem, "\"%s\" is no absolute path", value);
}

#define AT(MEMBER) .offset = offsetof(struct am_capture_options, MEMBER)

static const struct am_option options[] = {
    {.name = "when",
     .kind = AM_OPTION_LIST,
     AT(when),
     .fallback = "",
     .check = check_word,
     .help = "keep messages with these results or actions; also refused (a recipient), observed, "
             "failure"},
    {.name = "sample",
     .kind = AM_OPTION_INT,
     AT(sample),
     .min = 0,
     .max = INT64_C(1000000000),
     .fallback = "0",
     .help = "keep one message of so many, whatever becomes of it; 0: none"},
    {.name = "directory",
     .kind = AM_OPTION_TEXT,
     AT(directory),
     .fallback = "/var/lib/authmilter/cases",
     .check = check_path,
     .help = "where cases are kept, a file each"},
    {.name = "max_bytes",
     .kind = AM_OPTION_SIZE,
     AT(max_bytes),
     .min = 4096,
     .max = 64 << 20,
     .fallback = "256k",
     .help = "header and body of a message that are kept; of a larger one the body is left out"},
    {.name = "max_cases",
     .kind = AM_OPTION_INT,
     AT(max_cases),
     .min = 1,
     .max = 100000,
     .fallback = "200",
     .help = "cases in the directory; with so many no further one is kept"},
    {.name = "max_total_size",
     .kind = AM_OPTION_SIZE,
     AT(max_total_size),
     .min = 1 << 16,
     .max = INT64_C(1) << 40,
     .fallback = "64m",
     .help = "size of all cases in the directory; one that would exceed it is not kept"},
    {.name = "header",
     .kind = AM_OPTION_CHOICE,
     AT(header),
     .choices = header_words,
     .fallback = "full",
     .help = "fields that are kept: all, those the checks look at, or none"},
    {.name = "body",
     .kind = AM_OPTION_CHOICE,
     AT(body),
     .choices = body_words,
     .fallback = "full",
     .help = "the body, a hash of it, or nothing"},
    {.name = "addresses",
     .kind = AM_OPTION_BOOL,
     AT(addresses),
     .fallback = "yes",
     .help = "keep the local parts of envelope addresses"},
    {0},
};

const struct am_section am_capture_section = {.name = "capture",
                                              .help = "messages that are kept for replay",
                                              .options = options,
                                              .size = sizeof(struct am_capture_options)};

bool am_capture_is_on(const struct am_capture_options *capture)
{
    return capture->when.count > 0 || capture->sample > 0;
}

bool am_capture_check(const struct am_config *config, struct am_problem *problem)
{
    const struct am_capture_options *capture = am_config_section(config, am_capture_section.name);

    return capture->addresses || capture->header != AM_CAPTURE_HEADER_FULL ||
           am_problem_set(problem, "capture.addresses = no keeps no secret with capture.header = "
                                   "full: set that to auth or none");
}
