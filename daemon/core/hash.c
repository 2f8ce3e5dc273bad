/*
 * Keyed hash (SipHash-1-3; of numbers, a keyed product) and draws (xoshiro256**), all from the seed.
 * A client chooses names, operation ids and secrets; without the key it cannot make them collide.
 */
#include <string.h>

#include "engine.h"

static inline uint64_t rotate(uint64_t x, int by)
{
    return x << by | x >> (64 - by);
}

static inline void sip_round(uint64_t v[4])
{
    v[0] += v[1];
    v[1] = rotate(v[1], 13) ^ v[0];
    v[0] = rotate(v[0], 32);
    v[2] += v[3];
    v[3] = rotate(v[3], 16) ^ v[2];
    v[0] += v[3];
    v[3] = rotate(v[3], 21) ^ v[0];
    v[2] += v[1];
    v[1] = rotate(v[1], 17) ^ v[2];
    v[2] = rotate(v[2], 32);
}

static inline void sip_word(uint64_t v[4], uint64_t word)
{
    v[3] ^= word;
    sip_round(v);
    v[0] ^= word;
}

uint64_t core_hash(const struct core *core, const void *data, size_t size)
{
    const uint64_t *key = core->hash_key;
    uint64_t v[4] = {key[0] ^ 0x736f6d6570736575, key[1] ^ 0x646f72616e646f6d, key[0] ^ 0x6c7967656e657261,
                     key[1] ^ 0x7465646279746573};
    const uint8_t *at = data;
    uint64_t word;

    for (size_t left = size / 8; left; left--, at += 8) {
        memcpy(&word, at, 8);
        sip_word(v, word);
    }
    word = (uint64_t)size << 56;
    for (size_t i = 0; i < size % 8; i++)
        word |= (uint64_t)at[i] << (8 * i);
    sip_word(v, word);
    v[2] ^= 0xff;
    for (int i = 0; i < 3; i++)
        sip_round(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

/* One product of two secrets: the tables of operations are asked several times for each. */
uint64_t core_hash_number(const struct core *core, uint64_t number)
{
    const uint64_t *key = core->hash_key;
    unsigned __int128 product = (unsigned __int128)(number ^ key[0]) * (key[1] | 1);

    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static uint64_t draw_word(uint64_t s[4])
{
    uint64_t result = rotate(s[1] * 5, 7) * 9, t = s[1] << 17;

    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotate(s[3], 45);
    return result;
}

uint64_t core_draw(struct core *core, uint64_t below)
{
    /* The top of the range that would favour small numbers is drawn again. */
    uint64_t least, word;

    if (below == 1)
        return 0;
    least = -below % below;
    do
        word = draw_word(core->random);
    while (word < least);
    return word % below;
}

/* splitmix64: one seed becomes many independent words. */
static uint64_t seed_word(uint64_t *seed)
{
    uint64_t z = *seed += 0x9e3779b97f4a7c15;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
}

void core_seed(struct core *core, uint64_t seed)
{
    for (int i = 0; i < 2; i++)
        core->hash_key[i] = seed_word(&seed);
    for (int i = 0; i < 4; i++)
        core->random[i] = seed_word(&seed);
}
