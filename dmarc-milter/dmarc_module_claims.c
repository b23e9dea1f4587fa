#include "dmarc-milter/dmarc_module_claims.h"

#include "authres/authres.h"
#include "common/mail/domain.h"

/* Longest field that is read; what honest programs write has some hundred octets. */
#define FIELD_MAX ((size_t)64 * 1024)

/* What a result says, wherever it comes from; empty: it does not. */
struct said {
    const char *word;
    struct am_span mailfrom, helo, domain, identity, selector;
    bool has_mailfrom;
};

static bool is(const char *text, const char *word)
{
    return am_span_equal_nocase(am_span_str(text), am_span_str(word));
}

static enum dmarc_proof proof_of(const char *word)
{
    if (is(word, "pass"))
        return DMARC_PROOF_PASS;
    return is(word, "temperror") ? DMARC_PROOF_UNKNOWN : DMARC_PROOF_NONE;
}

static void take_property(struct said *said, const char *ptype, const char *name,
                          struct am_span value)
{
    if (is(ptype, "smtp") && is(name, "mailfrom")) {
        said->mailfrom = value;
        said->has_mailfrom = true;
    } else if (is(ptype, "smtp") && is(name, "helo")) {
        said->helo = value;
    } else if (is(ptype, "header") && is(name, "d")) {
        said->domain = value;
    } else if (is(ptype, "header") && is(name, "i")) {
        said->identity = value;
    } else if (is(ptype, "header") && is(name, "s")) {
        said->selector = value;
    }
}

/* Returns what stands behind the last "@", or the whole. */
static struct am_span behind_at(struct am_span text)
{
    size_t at = am_span_find_last(text, '@');

    return at == text.len ? text : am_span_of(text.ptr + at + 1, text.len - at - 1);
}

/* Returns a name that can be compared; "" when it is none. */
static const char *name_of(struct am_arena *arena, struct am_span text)
{
    const char *name = text.len == 0 ? NULL : am_domain_to_ascii(arena, text);

    return name != NULL && am_domain_is_valid(am_span_str(name)) ? name : "";
}

static const char *copy_of(struct dmarc_claims *claims, struct am_arena *arena, struct am_span text)
{
    const char *copy = am_arena_copy(arena, text);

    if (copy == NULL)
        claims->no_memory = true;
    return copy == NULL ? "" : copy;
}

/* Of the two identities of SPF, MAIL FROM counts, and with a null sender HELO in its place. */
static void add_spf(struct dmarc_claims *claims, struct am_arena *arena, const struct said *said,
                    bool null_sender)
{
    bool by_mailfrom = said->has_mailfrom && behind_at(said->mailfrom).len > 0;
    bool by_helo = !by_mailfrom && null_sender && said->helo.len > 0;

    if (!by_mailfrom && said->helo.len == 0 && proof_of(said->word) == DMARC_PROOF_UNKNOWN)
        return; /* a check that failed names nobody */
    claims->spf_known = true;
    if (claims->spf.word != NULL || (!by_mailfrom && !by_helo))
        return;
    claims->spf_is_helo = by_helo;
    claims->spf = (struct dmarc_claim){
        .domain = name_of(arena, by_helo ? said->helo : behind_at(said->mailfrom)),
        .selector = "",
        .word = copy_of(claims, arena, am_span_str(said->word)),
        .proof = proof_of(said->word),
    };
}

/* In which order claims stand: signatures that prove nothing never push out one that does. */
static int rank(enum dmarc_proof proof)
{
    return proof == DMARC_PROOF_PASS ? 0 : proof == DMARC_PROOF_UNKNOWN ? 1 : 2;
}

static void add_dkim(struct dmarc_claims *claims, struct am_arena *arena, const struct said *said)
{
    struct am_span domain = said->domain.len > 0 ? said->domain : behind_at(said->identity);
    enum dmarc_proof proof = proof_of(said->word);
    size_t at = claims->dkim_count;

    /* A check that could not do its work names nobody; a pass of nobody is none. */
    if (domain.len == 0 && proof != DMARC_PROOF_NONE)
        return;
    claims->dkim_known = true;
    if (domain.len == 0)
        return; /* "none": there is no signature */
    while (at > 0 && rank(claims->dkim[at - 1].proof) > rank(proof))
        at--;
    claims->dkim_left_out += claims->dkim_count == DMARC_IDENTIFIERS_MAX;
    if (at == DMARC_IDENTIFIERS_MAX)
        return;
    claims->dkim_count += claims->dkim_count < DMARC_IDENTIFIERS_MAX;
    memmove(&claims->dkim[at + 1], &claims->dkim[at],
            (claims->dkim_count - 1 - at) * sizeof(claims->dkim[0]));
    claims->dkim[at] = (struct dmarc_claim){
        .domain = name_of(arena, domain),
        .selector = copy_of(claims, arena, said->selector),
        .word = copy_of(claims, arena, am_span_str(said->word)),
        .proof = proof,
    };
}

void dmarc_claims_add_results(struct dmarc_claims *claims, struct am_arena *arena,
                              const struct am_results *results, bool null_sender)
{
    for (size_t i = 0; i < results->count; i++) {
        const struct am_result *result = &results->items[i];
        struct said said = {.word = result->result};

        for (size_t k = 0; k < result->property_count; k++)
            take_property(&said, result->properties[k].ptype, result->properties[k].property,
                          result->properties[k].value);
        if (is(result->method, "spf"))
            add_spf(claims, arena, &said, null_sender);
        else if (is(result->method, "dkim"))
            add_dkim(claims, arena, &said);
    }
}

/* --- fields of others --- */

static void *alloc_in_arena(void *user, size_t size)
{
    return am_arena_alloc(user, size);
}

static struct said read_result(const struct ar_result *result)
{
    struct said said = {.word = ar_result_word(result)};

    for (size_t i = 0; i < ar_result_property_count(result); i++) {
        const struct ar_property *property = ar_result_property(result, i);
        struct ar_text value = ar_property_value(property);

        take_property(&said, ar_property_ptype(property), ar_property_name(property),
                      am_span_of(value.ptr, value.len));
    }
    return said;
}

void dmarc_claims_add_field(struct dmarc_claims *claims, struct am_arena *arena,
                            struct am_span value, const char *const *ids, size_t id_count,
                            bool null_sender)
{
    const struct ar_allocator allocator = {.alloc = alloc_in_arena, .user = arena};
    const struct ar_parse_options options = {
        .kind = AR_KIND_AR, .lenient = true, .max_len = FIELD_MAX};
    const struct ar_trust trust = {.ids = ids, .id_count = id_count};
    const struct ar_header *header =
        ar_header_parse(&allocator, value.ptr, value.len, &options, NULL);
    bool spf_open = !claims->spf_known, dkim_open = !claims->dkim_known;

    if (header == NULL || !ar_header_is_trusted(header, &trust))
        return;
    for (size_t i = 0; i < ar_header_result_count(header); i++) {
        const struct ar_result *result = ar_header_result(header, i);

        /* Of other versions of a method nothing is known. */
        if (ar_result_method_version(result) > 1)
            continue;
        struct said said = read_result(result);
        if (spf_open && ar_result_is(result, "spf", NULL))
            add_spf(claims, arena, &said, null_sender);
        else if (dkim_open && ar_result_is(result, "dkim", NULL))
            add_dkim(claims, arena, &said);
    }
}
