#include "spf-milter/spf_engine_libspf2.h"

/* spf.h of libspf2 wants these two before it. */
#include <netinet/in.h>
#include <arpa/nameser.h>
#include <netdb.h>
#include <stdlib.h>
#include <spf2/spf.h>

#include "spf-milter/spf_check.h"

/* One evaluation: what libspf2 hands back to us in `hook`. */
struct peer {
    struct am_arena *arena;
    const struct spf_request *request;
    SPF_dns_server_t dns;
    struct spf_outcome outcome;
    unsigned query_budget;
    bool over_budget, dns_failed;
};

/*
 * libspf2 counts terms anew in every include, so that a tree of them asks
 * thousands of questions. The sum of what RFC 7208 section 4.6.4 allows an
 * evaluation to ask stops it here.
 */
static unsigned allowed_queries(const struct spf_limits *limits)
{
    return 1 + limits->terms + limits->mx_names * 2 + limits->ptr_names * 2;
}

static int to_herrno(enum am_dns_outcome outcome)
{
    switch (outcome) {
    case AM_DNS_OK:
        return NETDB_SUCCESS;
    case AM_DNS_NODATA:
        return NO_DATA;
    case AM_DNS_NXDOMAIN:
        return HOST_NOT_FOUND;
    default:
        return TRY_AGAIN;
    }
}

/* Copies one record; libspf2 keeps text with a NUL behind it. */
static bool copy_record(SPF_dns_rr_t *out, int index, enum am_dns_type type,
                        const struct am_dns_record *record)
{
    size_t len = type == AM_DNS_A ? 4 : type == AM_DNS_AAAA ? 16 : record->text.len + 1;
    if (SPF_dns_rr_buf_realloc(out, index, len) != SPF_E_SUCCESS)
        return false;
    if (type == AM_DNS_A) {
        memcpy(&out->rr[index]->a, record->a, 4);
    } else if (type == AM_DNS_AAAA) {
        memcpy(&out->rr[index]->aaaa, record->aaaa, 16);
    } else {
        memcpy(out->rr[index]->txt, record->text.ptr, record->text.len);
        out->rr[index]->txt[record->text.len] = '\0';
    }
    out->num_rr = index + 1;
    return true;
}

static SPF_dns_rr_t *copy_answer(struct peer *peer, const char *name, enum am_dns_type type,
                                 const struct am_dns_answer *answer)
{
    int herrno = to_herrno(answer->outcome);
    peer->dns_failed = peer->dns_failed || herrno == TRY_AGAIN;
    SPF_dns_rr_t *out =
        SPF_dns_rr_new_init(&peer->dns, name, (ns_type)type, (int)answer->ttl_s, herrno);
    for (size_t i = 0; out != NULL && i < answer->count; i++) {
        if (!copy_record(out, (int)i, type, &answer->records[i])) {
            SPF_dns_rr_free(out);
            return NULL;
        }
    }
    return out;
}

static bool is_asked(ns_type type)
{
    return type == ns_t_a || type == ns_t_aaaa || type == ns_t_mx || type == ns_t_ptr ||
           type == ns_t_txt;
}

static SPF_dns_rr_t *lookup(SPF_dns_server_t *server, const char *name, ns_type type,
                            int should_cache)
{
    (void)should_cache;
    struct peer *peer = server->hook;
    if (!is_asked(type)) /* type SPF (99): RFC 7208 section 3.1 gave it up */
        return SPF_dns_rr_new_nxdomain(server, name);
    if (peer->outcome.queries >= peer->query_budget) {
        peer->over_budget = true;
        return SPF_dns_rr_new_init(server, name, type, 0, TRY_AGAIN);
    }
    peer->outcome.queries++;
    struct am_dns_query *query = am_dns_start(peer->request->resolver, name, (enum am_dns_type)type,
                                              peer->request->deadline_us);
    SPF_dns_rr_t *out = copy_answer(peer, name, (enum am_dns_type)type, am_dns_wait(query));
    am_dns_release(query);
    return out;
}

/*
 * The error that counts: for a record it cannot read libspf2 first notes
 * what is wrong and then says "no record" (SPF_E_NOT_SPF).
 */
static SPF_errcode_t first_error(SPF_response_t *response)
{
    for (int i = 0; i < SPF_response_messages(response); i++) {
        SPF_error_t *message = SPF_response_message(response, i);
        if (SPF_error_errorp(message))
            return SPF_error_code(message);
    }
    return SPF_response_errcode(response);
}

static enum spf_result map_error(SPF_errcode_t error)
{
    switch (error) {
    case SPF_E_NOT_SPF:
    case SPF_E_SUCCESS:
        return SPF_NONE;
    case SPF_E_DNS_ERROR:
    case SPF_E_NO_MEMORY:
        return SPF_TEMPERROR;
    default:
        return SPF_PERMERROR;
    }
}

static enum spf_result map_result(SPF_response_t *response, SPF_errcode_t error)
{
    switch (SPF_response_result(response)) {
    case SPF_RESULT_NEUTRAL:
        return SPF_NEUTRAL;
    case SPF_RESULT_PASS:
        return SPF_PASS;
    case SPF_RESULT_FAIL:
        return SPF_FAIL;
    case SPF_RESULT_SOFTFAIL:
        return SPF_SOFTFAIL;
    case SPF_RESULT_TEMPERROR:
        return SPF_TEMPERROR;
    case SPF_RESULT_PERMERROR:
        return SPF_PERMERROR;
    case SPF_RESULT_NONE:
    case SPF_RESULT_INVALID:
        break;
    }
    return map_error(error); /* it leaves the result open after most errors */
}

/* "postmaster@helo" for the HELO identity and the null sender, else the sender. */
static const char *sender_of(const struct peer *peer)
{
    const struct spf_request *request = peer->request;
    if (request->identity == SPF_HELO || request->sender.is_null)
        return am_arena_printf(peer->arena, "postmaster@%.*s", (int)request->helo.len,
                               request->helo.ptr);
    return am_arena_copy(peer->arena, request->sender.full);
}

static bool set_client(SPF_request_t *spf, const struct am_ip *client)
{
    if (client->family == 4) {
        struct in_addr address;
        memcpy(&address, client->bytes, sizeof(address));
        return SPF_request_set_ipv4(spf, address) == SPF_E_SUCCESS;
    }
    struct in6_addr address;
    memcpy(&address, client->bytes, sizeof(address));
    return SPF_request_set_ipv6(spf, address) == SPF_E_SUCCESS;
}

static void read_response(struct peer *peer, SPF_response_t *response)
{
    SPF_errcode_t error = first_error(response);
    struct spf_outcome *outcome = &peer->outcome;
    outcome->result = map_result(response, error);
    if (error != SPF_E_SUCCESS)
        outcome->reason = spf_printable(peer->arena, am_span_str(SPF_strerror(error)));
    const char *explanation = SPF_response_get_explanation(response);
    if (outcome->result == SPF_FAIL && explanation != NULL && peer->request->want_explanation)
        outcome->explanation = spf_printable(peer->arena, am_span_str(explanation));
    if (peer->over_budget) {
        outcome->result = SPF_PERMERROR;
        outcome->limit = SPF_LIMIT_TERMS;
        outcome->reason = "more DNS look-ups than RFC 7208 allows";
    }
}

static void query(struct peer *peer, SPF_server_t *server)
{
    const struct spf_request *request = peer->request;
    SPF_request_t *spf = SPF_request_new(server);
    const char *helo = am_arena_copy(peer->arena, request->helo);
    const char *sender = sender_of(peer);
    SPF_response_t *response = NULL;
    if (spf != NULL && helo != NULL && sender != NULL && set_client(spf, &request->client) &&
        SPF_request_set_helo_dom(spf, helo) == SPF_E_SUCCESS) {
        peer->outcome.sender = sender;
        SPF_request_set_env_from(spf, sender);
        SPF_request_query_mailfrom(spf, &response);
    }
    if (response != NULL) { /* unlike free(), its functions take no NULL */
        read_response(peer, response);
        SPF_response_free(response);
    }
    if (spf != NULL)
        SPF_request_free(spf);
}

static const struct spf_outcome *evaluate(struct am_arena *arena, const struct spf_request *request)
{
    static const struct spf_outcome no_memory = {
        .result = SPF_TEMPERROR, .domain = "", .sender = "", .reason = "out of memory"};
    struct peer *peer = am_arena_alloc(arena, sizeof(*peer));
    if (peer == NULL)
        return &no_memory;
    struct spf_limits limits = spf_limits_complete(request->limits);
    peer->arena = arena;
    peer->request = request;
    peer->query_budget = allowed_queries(&limits);
    peer->dns = (SPF_dns_server_t){.lookup = lookup, .name = "authmilter", .hook = peer};
    peer->outcome =
        (struct spf_outcome){.result = SPF_TEMPERROR, .domain = "", .sender = "", .reason = NULL};
    if (request->client.family == 0) {
        peer->outcome.result = SPF_NONE;
        return &peer->outcome;
    }
    SPF_server_t *server = SPF_server_new_dns(&peer->dns, 0);
    if (server == NULL)
        return &no_memory;
    SPF_response_t *warnings = NULL;
    SPF_server_set_rec_dom(server, request->receiver == NULL ? "unknown" : request->receiver);
    if (request->default_explanation != NULL)
        SPF_server_set_explanation(server, request->default_explanation, &warnings);
    if (warnings != NULL)
        SPF_response_free(warnings);
    query(peer, server);
    SPF_server_free(server);
    return &peer->outcome;
}

const struct spf_engine spf_engine_libspf2 = {"libspf2", evaluate};
