#ifndef TESTS_SUPPORT_DNS_DNS_FAULT_H
#define TESTS_SUPPORT_DNS_DNS_FAULT_H

#include "tests/support/dns/dns_responder.h"
#include "tests/support/dns/dns_server.h"

/* Changes the true answer as the fault says. Returns false for silence. */
bool dns_response_spoil(struct dns_response *response, const struct dns_request *request,
                        enum dns_fault fault, bool stream);

/* Makes an answer that must not be believed: other data, and one thing wrong with it. */
void dns_response_forge(struct dns_response *response, enum dns_fault fault);

#endif
