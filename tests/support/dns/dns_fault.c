#include "tests/support/dns/dns_fault.h"

#include <string.h>

#define HEADER_LEN 12

static void lower_case(uint8_t *at, size_t len)
{
    for (size_t i = 0; i < len; i++)
        at[i] = (uint8_t)am_lower((char)at[i]);
}

void dns_response_forge(struct dns_response *response, enum dns_fault fault)
{
    uint8_t *name = response->data + HEADER_LEN;
    size_t name_len = strlen((const char *)name) + 1;

    response->data[response->len - 1] ^= 0xff;
    switch (fault) {
    case DNS_FAULT_FORGED_ID:
        response->data[1] ^= 1;
        break;
    case DNS_FAULT_FORGED_QUESTION:
        name[1] = name[1] == 'x' ? 'y' : 'x';
        break;
    case DNS_FAULT_FORGED_TYPE:
        name[name_len + 1] ^= 1;
        break;
    case DNS_FAULT_FORGED_CASE:
        for (size_t i = 1; i < name_len; i++) {
            if (am_is_alpha(name[i])) {
                name[i] ^= 0x20;
                break;
            }
        }
        break;
    case DNS_FAULT_FORGED_QUERY:
        response->data[2] &= 0x7f;
        break;
    default:
        break;
    }
}

bool dns_response_spoil(struct dns_response *response, const struct dns_request *request,
                        enum dns_fault fault, bool stream)
{
    switch (fault) {
    case DNS_FAULT_SILENT:
        return false;
    case DNS_FAULT_SERVFAIL:
        dns_response_fail(response, request, DNS_RCODE_SERVFAIL);
        break;
    case DNS_FAULT_REFUSED:
        dns_response_fail(response, request, DNS_RCODE_REFUSED);
        break;
    case DNS_FAULT_FORMERR_EDNS:
    case DNS_FAULT_FORMERR_BARE:
        if (!request->edns)
            break;
        dns_response_fail(response, request, DNS_RCODE_FORMERR);
        if (fault == DNS_FAULT_FORMERR_BARE) {
            response->len = HEADER_LEN;
            response->data[5] = 0;
        }
        break;
    case DNS_FAULT_TRUNCATED:
        if (!stream)
            dns_response_truncate(response, request);
        break;
    case DNS_FAULT_GARBAGE:
        dns_response_fail(response, request, DNS_RCODE_NOERROR);
        response->data[7] = 3;
        memset(response->data + response->len, 0xc0, 40);
        response->len += 40;
        break;
    case DNS_FAULT_CASE:
        if (!stream)
            lower_case(response->data + HEADER_LEN, request->name.len);
        break;
    case DNS_FAULT_REFERRAL:
        dns_response_fail(response, request, DNS_RCODE_NOERROR);
        response->data[3] &= 0x7f;
        response->data[9] = 1;
        memcpy(response->data + response->len, "\0\0\2\0\1\0\0\0\74\0\4\2ns\0", 15);
        response->len += 15;
        break;
    default:
        break;
    }
    return true;
}
