/* How often each of many texts occurred. One goroutine at a time. A table begins as NULL. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* uthash.h says how to walk over a table: HASH_ITER (hh, table, c, after). */
#include <uthash.h>

struct count {
    UT_hash_handle hh;
    uint64_t count;
    char text[]; /* ends with a zero byte; hh.keylen without it */
};

void counts_add(struct count **table, const char *text, size_t bytes, uint64_t count);

/* Moves all of `part` into `whole`. */
void counts_merge(struct count **whole, struct count *part);

/* Prints "count text" for each, in the order of `compare` or, with NULL, of the texts, and frees the table. */
void counts_print(struct count *table, int (*compare)(const struct count *a, const struct count *b));
