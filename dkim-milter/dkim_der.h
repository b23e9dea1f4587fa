#ifndef DKIM_DKIM_DER_H
#define DKIM_DKIM_DER_H

#include <stdbool.h>

#include "common/base/span.h"

/*
 * Finds the two numbers of an RSA public key: in a SubjectPublicKeyInfo (RFC 5280 section 4.1) of
 * algorithm rsaEncryption, or in a bare RSAPublicKey (RFC 8017 appendix A.1.1). The whole of
 * `octets` has to be that. Lengths may take more octets than they need, which DER forbids but keys
 * in the DNS do.
 *
 * modulus, exponent: big-endian, not negative, without leading zeros; empty for zero. They point
 *   into `octets`.
 * Returns: false when `octets` is neither. Threads: any.
 */
bool dkim_der_rsa_numbers(struct am_span octets, struct am_span *modulus, struct am_span *exponent);

#endif
