#include "authres/ar_registry.h"

/*
 * The "Email Authentication Parameters" of IANA. Results are in alphabetical order, properties
 * in that of ptype and name; every method is of version 1. A new registration is a new row.
 */

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

#define ARC_WORDS "RFC 8617 section 4.4"
#define ARC "RFC 8617 section 6"
#define AUTH "RFC 8601 section 2.7.4"
#define DKIM "RFC 8601 section 2.7.1"
#define ADSP_WORDS "RFC 5617 section 5.4"
#define ADSP "RFC 5617 section 5.3"
#define ATPS_WORDS "RFC 6541 section 8.3"
#define ATPS "RFC 6541 section 8.2"
#define DMARC "RFC 9989"
#define DNSWL "RFC 8904 section 2"
#define DOMAINKEYS_WORDS "RFC 7601 section 2.7.1"
#define DOMAINKEYS "RFC 7601 section 6.3"
#define IPREV "RFC 8601 section 2.7.3"
#define RRVS_WORDS "RFC 7293 section 11"
#define RRVS "RFC 7293 section 15.4"
#define SENDER_ID_WORDS "RFC 7601 section 2.7.2"
#define SENDER_ID "RFC 5451 section 6.2"
#define SMIME_WORDS "RFC 7281 section 3.1"
#define SMIME "RFC 7281 section 3.2"
#define SPF "RFC 8601 section 2.7.2"
#define SPF_HARDFAIL "RFC 5451 section 2.4.2"
#define VBR "RFC 6212 section 4"

static const struct ar_registered_result arc_results[] = {
    {"fail", ARC_WORDS, AR_ACTIVE},
    {"none", ARC_WORDS, AR_ACTIVE},
    {"pass", ARC_WORDS, AR_ACTIVE},
};

static const struct ar_registered_property arc_properties[] = {
    {"header", "oldest-pass",
     "instance of the oldest message signature that still holds, 0 for all", ARC, AR_ACTIVE},
    {"smtp", "remote-ip", "address of the SMTP client", ARC, AR_ACTIVE},
};

static const struct ar_registered_result auth_results[] = {
    {"fail", AUTH, AR_ACTIVE},      {"none", AUTH, AR_ACTIVE},      {"pass", AUTH, AR_ACTIVE},
    {"permerror", AUTH, AR_ACTIVE}, {"temperror", AUTH, AR_ACTIVE},
};

static const struct ar_registered_property auth_properties[] = {
    {"smtp", "auth", "identity that the AUTH command proved", AUTH, AR_ACTIVE},
    {"smtp", "mailfrom", "mailbox in the AUTH parameter of the MAIL command", AUTH, AR_ACTIVE},
};

static const struct ar_registered_result dkim_results[] = {
    {"fail", DKIM, AR_ACTIVE},      {"neutral", DKIM, AR_ACTIVE},   {"none", DKIM, AR_ACTIVE},
    {"pass", DKIM, AR_ACTIVE},      {"permerror", DKIM, AR_ACTIVE}, {"policy", DKIM, AR_ACTIVE},
    {"temperror", DKIM, AR_ACTIVE},
};

static const struct ar_registered_property dkim_properties[] = {
    {"header", "a", "algorithm of the signature", DKIM, AR_ACTIVE},
    {"header", "b", "first octets of the signature, or all of it", "RFC 6008 section 4", AR_ACTIVE},
    {"header", "d", "signing domain", DKIM, AR_ACTIVE},
    {"header", "i", "agent or user the signature is made for", DKIM, AR_ACTIVE},
    {"header", "s", "selector of the key", DKIM, AR_ACTIVE},
};

static const struct ar_registered_result adsp_results[] = {
    {"discard", ADSP_WORDS, AR_DEPRECATED},   {"fail", ADSP_WORDS, AR_DEPRECATED},
    {"none", ADSP_WORDS, AR_DEPRECATED},      {"nxdomain", ADSP_WORDS, AR_DEPRECATED},
    {"pass", ADSP_WORDS, AR_DEPRECATED},      {"permerror", ADSP_WORDS, AR_DEPRECATED},
    {"temperror", ADSP_WORDS, AR_DEPRECATED}, {"unknown", ADSP_WORDS, AR_DEPRECATED},
};

static const struct ar_registered_property adsp_properties[] = {
    {"header", "from", "From field without comments", ADSP, AR_DEPRECATED},
};

static const struct ar_registered_result atps_results[] = {
    {"fail", ATPS_WORDS, AR_ACTIVE},      {"none", ATPS_WORDS, AR_ACTIVE},
    {"pass", ATPS_WORDS, AR_ACTIVE},      {"permerror", ATPS_WORDS, AR_ACTIVE},
    {"temperror", ATPS_WORDS, AR_ACTIVE},
};

static const struct ar_registered_property atps_properties[] = {
    {"header", "from", "From field without comments", ATPS, AR_ACTIVE},
};

static const struct ar_registered_result dmarc_results[] = {
    {"fail", DMARC, AR_ACTIVE},      {"none", DMARC, AR_ACTIVE},      {"pass", DMARC, AR_ACTIVE},
    {"permerror", DMARC, AR_ACTIVE}, {"temperror", DMARC, AR_ACTIVE},
};

static const struct ar_registered_property dmarc_properties[] = {
    {"header", "from", "domain of the From field", DMARC, AR_ACTIVE},
    {"policy", "dmarc", "policy applied: none, quarantine or reject", DMARC, AR_ACTIVE},
};

static const struct ar_registered_result dnswl_results[] = {
    {"none", DNSWL, AR_ACTIVE},
    {"pass", DNSWL, AR_ACTIVE},
    {"permerror", DNSWL, AR_ACTIVE},
    {"temperror", DNSWL, AR_ACTIVE},
};

static const struct ar_registered_property dnswl_properties[] = {
    {"dns", "sec", "whether DNSSEC vouches for the answer: yes, no or na", DNSWL, AR_ACTIVE},
    {"dns", "zone", "domain the list is asked under", DNSWL, AR_ACTIVE},
    {"policy", "ip", "address answered, or several with commas between", DNSWL, AR_ACTIVE},
    {"policy", "txt", "text answered", DNSWL, AR_ACTIVE},
};

static const struct ar_registered_result domainkeys_results[] = {
    {"fail", DOMAINKEYS_WORDS, AR_DEPRECATED},      {"neutral", DOMAINKEYS_WORDS, AR_DEPRECATED},
    {"none", DOMAINKEYS_WORDS, AR_DEPRECATED},      {"pass", DOMAINKEYS_WORDS, AR_DEPRECATED},
    {"permerror", DOMAINKEYS_WORDS, AR_DEPRECATED}, {"policy", DOMAINKEYS_WORDS, AR_DEPRECATED},
    {"temperror", DOMAINKEYS_WORDS, AR_DEPRECATED},
};

static const struct ar_registered_property domainkeys_properties[] = {
    {"header", "d", "signing domain", DOMAINKEYS, AR_DEPRECATED},
    {"header", "from", "From field as far as it was authenticated", DOMAINKEYS, AR_DEPRECATED},
    {"header", "sender", "Sender field as far as it was authenticated", DOMAINKEYS, AR_DEPRECATED},
};

static const struct ar_registered_result iprev_results[] = {
    {"fail", IPREV, AR_ACTIVE},
    {"pass", IPREV, AR_ACTIVE},
    {"permerror", IPREV, AR_ACTIVE},
    {"temperror", IPREV, AR_ACTIVE},
};

static const struct ar_registered_property iprev_properties[] = {
    {"policy", "iprev", "address of the SMTP client", IPREV, AR_ACTIVE},
};

static const struct ar_registered_result rrvs_results[] = {
    {"fail", RRVS_WORDS, AR_ACTIVE},      {"none", RRVS_WORDS, AR_ACTIVE},
    {"pass", RRVS_WORDS, AR_ACTIVE},      {"permerror", RRVS_WORDS, AR_ACTIVE},
    {"temperror", RRVS_WORDS, AR_ACTIVE}, {"unknown", RRVS_WORDS, AR_ACTIVE},
};

static const struct ar_registered_property rrvs_properties[] = {
    {"smtp", "rcptto", "envelope recipient", RRVS, AR_ACTIVE},
};

static const struct ar_registered_result sender_id_results[] = {
    {"fail", SENDER_ID_WORDS, AR_DEPRECATED},      {"hardfail", SPF_HARDFAIL, AR_DEPRECATED},
    {"neutral", SENDER_ID_WORDS, AR_DEPRECATED},   {"none", SENDER_ID_WORDS, AR_DEPRECATED},
    {"pass", SENDER_ID_WORDS, AR_DEPRECATED},      {"permerror", SENDER_ID_WORDS, AR_DEPRECATED},
    {"policy", SENDER_ID_WORDS, AR_DEPRECATED},    {"softfail", SENDER_ID_WORDS, AR_DEPRECATED},
    {"temperror", SENDER_ID_WORDS, AR_DEPRECATED},
};

static const struct ar_registered_property sender_id_properties[] = {
    {"header", "*", "the field that names the responsible address, as far as it was authenticated",
     SENDER_ID, AR_DEPRECATED},
};

static const struct ar_registered_result smime_results[] = {
    {"fail", SMIME_WORDS, AR_ACTIVE},      {"neutral", SMIME_WORDS, AR_ACTIVE},
    {"none", SMIME_WORDS, AR_ACTIVE},      {"pass", SMIME_WORDS, AR_ACTIVE},
    {"permerror", SMIME_WORDS, AR_ACTIVE}, {"policy", SMIME_WORDS, AR_ACTIVE},
    {"temperror", SMIME_WORDS, AR_ACTIVE},
};

static const struct ar_registered_property smime_properties[] = {
    {"body", "smime-identifier", "address the signature is made for", SMIME, AR_ACTIVE},
    {"body", "smime-issuer", "name of the certificate's issuer", SMIME, AR_ACTIVE},
    {"body", "smime-part", "body part that holds the signature", SMIME, AR_ACTIVE},
    {"body", "smime-serial", "serial number of the certificate", SMIME, AR_ACTIVE},
};

static const struct ar_registered_result spf_results[] = {
    {"fail", SPF, AR_ACTIVE},      {"hardfail", SPF_HARDFAIL, AR_DEPRECATED},
    {"neutral", SPF, AR_ACTIVE},   {"none", SPF, AR_ACTIVE},
    {"pass", SPF, AR_ACTIVE},      {"permerror", SPF, AR_ACTIVE},
    {"policy", SPF, AR_ACTIVE},    {"softfail", SPF, AR_ACTIVE},
    {"temperror", SPF, AR_ACTIVE},
};

static const struct ar_registered_property spf_properties[] = {
    {"smtp", "helo", "name in the HELO or EHLO command", SPF, AR_ACTIVE},
    {"smtp", "mailfrom", "envelope sender as far as it was authenticated", SPF, AR_ACTIVE},
};

static const struct ar_registered_result vbr_results[] = {
    {"fail", VBR, AR_ACTIVE},      {"none", VBR, AR_ACTIVE},      {"pass", VBR, AR_ACTIVE},
    {"permerror", VBR, AR_ACTIVE}, {"temperror", VBR, AR_ACTIVE},
};

static const struct ar_registered_property vbr_properties[] = {
    {"header", "md", "domain that was asked about", VBR, AR_ACTIVE},
    {"header", "mv", "domain that was asked to vouch", VBR, AR_ACTIVE},
};

#define METHOD(name, meaning, source, state, rows)                                                 \
    {                                                                                              \
        name, meaning, source, state, COUNT(rows##_results), COUNT(rows##_properties),             \
            rows##_results, rows##_properties                                                      \
    }

const struct ar_registered_method ar_registry_methods[] = {
    METHOD("arc", "Authenticated Received Chain (RFC 8617)", ARC, AR_ACTIVE, arc),
    METHOD("auth", "SMTP AUTH (RFC 4954)", AUTH, AR_ACTIVE, auth),
    METHOD("dkim", "DomainKeys Identified Mail (RFC 6376)", DKIM, AR_ACTIVE, dkim),
    METHOD("dkim-adsp", "DKIM Author Domain Signing Practices (RFC 5617)", ADSP, AR_DEPRECATED,
           adsp),
    METHOD("dkim-atps", "DKIM Authorized Third-Party Signatures (RFC 6541)", ATPS, AR_ACTIVE, atps),
    METHOD("dmarc", "Domain-based Message Authentication, Reporting, and Conformance (RFC 9989)",
           DMARC, AR_ACTIVE, dmarc),
    METHOD("dnswl", "list of welcome hosts in the DNS (RFC 8904)", DNSWL, AR_ACTIVE, dnswl),
    METHOD("domainkeys", "DomainKeys (RFC 4870)", DOMAINKEYS, AR_DEPRECATED, domainkeys),
    METHOD("iprev", "address to name and back in the DNS (RFC 8601 section 3)", IPREV, AR_ACTIVE,
           iprev),
    METHOD("rrvs", "Require-Recipient-Valid-Since (RFC 7293)", RRVS, AR_ACTIVE, rrvs),
    METHOD("sender-id", "Sender ID (RFC 4406)", SENDER_ID, AR_DEPRECATED, sender_id),
    METHOD("smime", "S/MIME signature (RFC 7281)", SMIME, AR_ACTIVE, smime),
    METHOD("spf", "Sender Policy Framework (RFC 7208)", SPF, AR_ACTIVE, spf),
    METHOD("vbr", "Vouch By Reference (RFC 5518)", VBR, AR_ACTIVE, vbr),
};

const size_t ar_registry_method_count = COUNT(ar_registry_methods);

const struct ar_registered_ptype ar_registry_ptypes[] = {
    {"body", "RFC 8601 section 2.3", AR_ACTIVE},   {"dns", "RFC 8904 section 4.2", AR_ACTIVE},
    {"header", "RFC 8601 section 2.3", AR_ACTIVE}, {"policy", "RFC 8601 section 2.3", AR_ACTIVE},
    {"smtp", "RFC 8601 section 2.3", AR_ACTIVE},
};

const size_t ar_registry_ptype_count = COUNT(ar_registry_ptypes);
