#include "common/dns/dns_key.h"

#include <string.h>
#include <sys/random.h>

bool am_dns_key_seed_make(struct am_dns_key_seed *seed)
{
    return getrandom(seed, sizeof(*seed), 0) == (ssize_t)sizeof(*seed);
}

static uint64_t rotate(uint64_t x, unsigned bits)
{
    return x << bits | x >> (64 - bits);
}

static void sip_round(uint64_t v[4])
{
    v[0] += v[1];
    v[2] += v[3];
    v[1] = rotate(v[1], 13) ^ v[0];
    v[3] = rotate(v[3], 16) ^ v[2];
    v[0] = rotate(v[0], 32) + v[3];
    v[2] += v[1];
    v[3] = rotate(v[3], 21) ^ v[0];
    v[1] = rotate(v[1], 17) ^ v[2];
    v[2] = rotate(v[2], 32);
}

static void absorb(uint64_t v[4], uint64_t word)
{
    v[3] ^= word;
    sip_round(v);
    v[0] ^= word;
}

uint64_t am_dns_key_hash(const struct am_dns_key_seed *seed, const struct am_dns_name *name,
                         enum am_dns_type type)
{
    /* The initial words spell a text the authors of SipHash chose. */
    uint64_t v[4] = {
        seed->word[0] ^ UINT64_C(0x736f6d6570736575),
        seed->word[1] ^ UINT64_C(0x646f72616e646f6d),
        seed->word[0] ^ UINT64_C(0x6c7967656e657261),
        seed->word[1] ^ UINT64_C(0x7465646279746573),
    };

    for (size_t at = 0; at < name->len; at += 8) {
        uint64_t word = 0;
        size_t left = name->len - at;
        memcpy(&word, name->wire + at, left < 8 ? left : 8);
        absorb(v, word);
    }
    absorb(v, (uint64_t)name->len << 56 | (uint64_t)type);
    v[2] ^= 0xff;
    for (int i = 0; i < 3; i++)
        sip_round(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}
