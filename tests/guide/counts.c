#include "counts.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "program.h"

void counts_add(struct count **table, const char *text, size_t bytes, uint64_t count)
{
    struct count *c;

    HASH_FIND(hh, *table, text, bytes, c);
    if (!c) {
        c = must_alloc(sizeof *c + bytes + 1);
        c->count = 0;
        memcpy(c->text, text, bytes);
        c->text[bytes] = '\0';
        HASH_ADD(hh, *table, text, bytes, c);
    }
    c->count += count;
}

void counts_merge(struct count **whole, struct count *part)
{
    struct count *c, *after;

    HASH_ITER (hh, part, c, after) {
        counts_add(whole, c->text, c->hh.keylen, c->count);
        HASH_DEL(part, c);
        free(c);
    }
}

static int by_text(const struct count *a, const struct count *b)
{
    return strcmp(a->text, b->text);
}

void counts_print(struct count *table, int (*compare)(const struct count *a, const struct count *b))
{
    struct count *c, *after;

    HASH_SORT(table, (compare ? compare : by_text));
    HASH_ITER (hh, table, c, after) {
        fprintf(program_out(), "%" PRIu64 " %s\n", c->count, c->text);
        HASH_DEL(table, c);
        free(c);
    }
}
