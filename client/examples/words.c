/* A word is in the table once, and `total` is the sum of the counts. */
#include "words.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static struct word *word_new(const char *text, size_t size)
{
    struct word *word = malloc(sizeof *word + size + 1);

    if (!word)
        return NULL;
    word->count = 0;
    word->size = size;
    memcpy(word->text, text, size);
    word->text[size] = '\0';
    return word;
}

static struct word *words_insert(struct words *words, const char *text, size_t size)
{
    struct word *word = word_new(text, size);

    if (!word)
        return NULL;
    HASH_ADD(hh, words->table, text, size, word);
    if (word->hh.tbl)
        return word;
    free(word);
    return NULL;
}

int words_add(struct words *words, const char *text, size_t size, uint64_t times)
{
    struct word *word;

    HASH_FIND(hh, words->table, text, size, word);
    if (!word)
        word = words_insert(words, text, size);
    if (!word)
        return -ENOMEM;
    word->count += times;
    words->total += times;
    return 0;
}

/* The letters of the C locale, whatever the locale of the program. */
static char small_letter(char c)
{
    if (c >= 'A' && c <= 'Z')
        return (char)(c - 'A' + 'a');
    return c >= 'a' && c <= 'z' ? c : '\0';
}

int words_count(struct words *words, char *bytes, size_t size)
{
    size_t begin = 0;
    int r = 0;

    for (size_t i = 0; i <= size && r == 0; i++) {
        char letter = i < size ? small_letter(bytes[i]) : '\0';

        if (letter) {
            bytes[i] = letter;
            continue;
        }
        if (i > begin)
            r = words_add(words, bytes + begin, i - begin, 1);
        begin = i + 1;
    }
    return r;
}

void words_clear(struct words *words)
{
    struct word *word, *next;

    HASH_ITER (hh, words->table, word, next) {
        HASH_DEL(words->table, word);
        free(word);
    }
    words->total = 0;
}

static int by_name(const void *a, const void *b)
{
    return strcmp((*(struct word *const *)a)->text, (*(struct word *const *)b)->text);
}

static int by_count(const void *a, const void *b)
{
    uint64_t left = (*(struct word *const *)a)->count, right = (*(struct word *const *)b)->count;

    return left != right ? (left < right ? 1 : -1) : by_name(a, b);
}

static struct word **words_sorted(const struct words *words, int (*order)(const void *, const void *))
{
    size_t n = HASH_COUNT(words->table), i = 0;
    struct word **sorted = n ? malloc(n * sizeof *sorted) : NULL;

    if (!sorted)
        return NULL;
    for (struct word *word = words->table; word; word = word->hh.next)
        sorted[i++] = word;
    qsort(sorted, n, sizeof *sorted, order);
    return sorted;
}

struct word **words_by_count(const struct words *words)
{
    return words_sorted(words, by_count);
}

struct word **words_by_name(const struct words *words)
{
    return words_sorted(words, by_name);
}
