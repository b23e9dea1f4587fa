#include "authmilter/mta/terms.h"

#include <string.h>

#include "authmilter/mta/mta.h"

struct bit_word {
    const char *word;
    uint32_t bit;
};

static const struct bit_word action_words[] = {
    {"add-headers", MTA_ACT_ADD_HEADERS},       {"change-body", MTA_ACT_CHANGE_BODY},
    {"add-recipients", MTA_ACT_ADD_RCPT},       {"delete-recipients", MTA_ACT_DELETE_RCPT},
    {"change-headers", MTA_ACT_CHANGE_HEADERS}, {"quarantine", MTA_ACT_QUARANTINE},
    {"change-sender", MTA_ACT_CHANGE_FROM},     {"recipient-parameters", MTA_ACT_ADD_RCPT_PAR},
    {"macro-lists", MTA_ACT_MACRO_LIST},        {NULL, 0}};

static const struct bit_word step_words[] = {{"no-connect", MTA_STEP_NO_CONNECT},
                                             {"no-helo", MTA_STEP_NO_HELO},
                                             {"no-mail", MTA_STEP_NO_MAIL},
                                             {"no-rcpt", MTA_STEP_NO_RCPT},
                                             {"no-body", MTA_STEP_NO_BODY},
                                             {"no-headers", MTA_STEP_NO_HEADERS},
                                             {"no-eoh", MTA_STEP_NO_EOH},
                                             {"nr-header", MTA_STEP_NR_HEADER},
                                             {"no-unknown", MTA_STEP_NO_UNKNOWN},
                                             {"no-data", MTA_STEP_NO_DATA},
                                             {"skip", MTA_STEP_SKIP},
                                             {"rejected-rcpt", MTA_STEP_RCPT_REJECTED},
                                             {"nr-connect", MTA_STEP_NR_CONNECT},
                                             {"nr-helo", MTA_STEP_NR_HELO},
                                             {"nr-mail", MTA_STEP_NR_MAIL},
                                             {"nr-rcpt", MTA_STEP_NR_RCPT},
                                             {"nr-data", MTA_STEP_NR_DATA},
                                             {"nr-unknown", MTA_STEP_NR_UNKNOWN},
                                             {"nr-eoh", MTA_STEP_NR_EOH},
                                             {"nr-body", MTA_STEP_NR_BODY},
                                             {"header-space", MTA_STEP_HEADER_SPACE},
                                             {"size-256k", MTA_STEP_SIZE_256K},
                                             {"size-1m", MTA_STEP_SIZE_1M},
                                             {NULL, 0}};

static uint32_t bit_of(const struct bit_word *table, const char *word)
{
    for (; table->word != NULL; table++) {
        if (strcmp(table->word, word) == 0)
            return table->bit;
    }
    return 0;
}

static void print(const struct bit_word *table, uint32_t bits, struct am_buf *out)
{
    const char *gap = "";
    if (bits == 0)
        am_buf_add_str(out, "none");
    for (; table->word != NULL; table++) {
        if ((bits & table->bit) == 0)
            continue;
        am_buf_printf(out, "%s%s", gap, table->word);
        bits &= ~table->bit;
        gap = " ";
    }
    if (bits != 0)
        am_buf_printf(out, "%s0x%x", gap, bits);
}

uint32_t mta_action_of(const char *word)
{
    return bit_of(action_words, word);
}

uint32_t mta_step_of(const char *word)
{
    return bit_of(step_words, word);
}

void mta_actions_print(uint32_t actions, struct am_buf *out)
{
    print(action_words, actions, out);
}

void mta_steps_print(uint32_t steps, struct am_buf *out)
{
    print(step_words, steps, out);
}

bool mta_offer_of(char *const *words, size_t count, bool actions, uint32_t *offer, size_t *bad)
{
    const struct bit_word *table = actions ? action_words : step_words;
    uint32_t bits = 0;
    for (size_t i = 0; i < count; i++) {
        const char *word = words[i];
        bool less = word[0] == '-';
        uint32_t bit = strcmp(word, "all") == 0 ? (actions ? MTA_ACT_ALL : MTA_STEP_ALL)
                                                : bit_of(table, less ? word + 1 : word);
        if (bit == 0 && strcmp(word, "none") != 0) {
            *bad = i;
            return false;
        }
        bits = bit == 0 ? 0 : less ? bits & ~bit : bits | bit;
    }
    *offer = bits == 0 ? MTA_OFFER_NOTHING : bits;
    return true;
}
