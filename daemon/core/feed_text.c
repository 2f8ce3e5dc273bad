/*
 * A message as the argument of a job: lines NAME: VALUE that tell of it, an empty one, then its body as it is.
 *
 * In names and values of the message's own (key and headers) bytes below 32, 127 and '%' are written as %XX, in names also ':' and
 * blanks: so a line is a line, and ends its name at the first ": ".
 */
#include <string.h>

#include "feed.h"
#include "letter.h"

/* Counts, and writes where it has somewhere to. */
struct pen {
    char *to;
    size_t n;
};

static void put(struct pen *pen, const void *bytes, size_t size)
{
    if (pen->to && size)
        memcpy(pen->to + pen->n, bytes, size);
    pen->n += size;
}

static void put_words(struct pen *pen, const char *words)
{
    put(pen, words, strlen(words));
}

static void put_escaped(struct pen *pen, struct bytes text, bool name)
{
    static const char digits[] = "0123456789ABCDEF";
    const unsigned char *byte = text.data;

    for (size_t i = 0; i < text.size; i++) {
        const char escaped[] = {'%', digits[byte[i] >> 4], digits[byte[i] & 15]};
        bool plain = byte[i] >= 32 && byte[i] != 127 && byte[i] != '%';

        if (plain && !(name && (byte[i] == ':' || byte[i] == ' ')))
            put(pen, &byte[i], 1);
        else
            put(pen, escaped, sizeof(escaped));
    }
}

static void put_number(struct pen *pen, const char *name, long long number)
{
    char line[64];
    size_t n = text_write(line, sizeof(line), "%s: %lld\n", name, number);

    put(pen, line, n);
}

static void put_head(struct pen *pen, const struct letter *letter)
{
    put_words(pen, "topic: ");
    put(pen, letter->topic.data, letter->topic.size);
    put_words(pen, "\n");
    put_number(pen, "sequence", (long long)letter->sequence);
    put_number(pen, "time_us", letter->time_us);
    if (letter->of)
        put_number(pen, "of", (long long)letter->of);
    if (letter->key.size) {
        put_words(pen, "key: ");
        put_escaped(pen, letter->key, false);
        put_words(pen, "\n");
    }
    for (size_t i = 0; i < letter->headers_n; i++) {
        put_words(pen, "header.");
        put_escaped(pen, letter->headers[i].name, true);
        put_words(pen, ": ");
        put_escaped(pen, letter->headers[i].value, false);
        put_words(pen, "\n");
    }
    put_words(pen, "\n");
}

static size_t write_all(const struct letter *letter, uint32_t form, char *to)
{
    struct pen pen = {.to = to};

    if (form == FEED_MESSAGE)
        put_head(&pen, letter);
    put(&pen, letter->body.data, letter->body.size);
    return pen.n;
}

size_t feed_text_bytes(const struct letter *letter, uint32_t form)
{
    return write_all(letter, form, NULL);
}

void feed_text_write(const struct letter *letter, uint32_t form, char *to)
{
    write_all(letter, form, to);
}
