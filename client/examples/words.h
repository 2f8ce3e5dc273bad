/* A table of words and how often each was seen. A word is a run of A-Z and a-z, kept in small letters. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define HASH_NONFATAL_OOM 1
#include <uthash.h>

struct word {
    UT_hash_handle hh;
    uint64_t count;
    size_t size;
    char text[]; /* `size` bytes and a zero */
};

struct words {
    struct word *table; /* for HASH_ITER */
    uint64_t total;     /* the sum of all counts */
};

/* Counts `text`, of small letters, `times` more. 0 or -ENOMEM. */
int words_add(struct words *words, const char *text, size_t size, uint64_t times);

/* Counts every word of the bytes; makes their letters small in place. 0 or -ENOMEM. */
int words_count(struct words *words, char *bytes, size_t size);

void words_clear(struct words *words);

/* By falling count, then by name; by name. The array is the caller's, its words stay the table's. NULL: no
 * memory, or no words. */
struct word **words_by_count(const struct words *words);
struct word **words_by_name(const struct words *words);
