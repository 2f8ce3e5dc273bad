/*
 * Messages as JSON, as lines, and by a format of the caller.
 */
#include "message_text.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "options.h"
#include "output.h"

/* ---- JSON ---- */

static json_t *headers_json(const struct gc_message *message)
{
    json_t *headers = json_array();

    for (size_t i = 0; i < message->headers_n; i++) {
        const struct gc_header *header = &message->headers[i];
        json_t *object = json_object();

        if (json_set_bytes(object, "name", header->name, header->name_bytes) < 0 ||
            json_set_bytes(object, "value", header->value, header->value_bytes) < 0 ||
            json_array_append_new(headers, object) != 0) {
            json_decref(headers);
            return NULL;
        }
    }
    return headers;
}

static void set_number(json_t *object, const char *name, uint64_t number)
{
    if (number)
        json_object_set_new(object, name, json_integer((json_int_t)number));
}

json_t *message_json(const struct gc_message *message, const struct gc_value *value)
{
    char time[INSTANT_TEXT_BYTES];
    json_t *object = json_pack("{s:s}", "topic", message->topic);
    int r = object ? json_set_bytes(object, "value", value->data, value->size) : -ENOMEM;

    if (r == 0)
        r = json_object_set_new(object, "time", json_string(format_instant(message->time_us, time)));
    if (r == 0 && message->key_bytes)
        r = json_set_bytes(object, "key", message->key, message->key_bytes);
    if (r == 0 && message->headers_n)
        r = json_object_set_new(object, "headers", headers_json(message));
    if (r != 0) {
        json_decref(object);
        return NULL;
    }
    set_number(object, "sequence", message->sequence);
    set_number(object, "tries", message->tries);
    set_number(object, "lost", message->lost);
    set_number(object, "of", message->of);
    if (value->flags & GC_REDELIVERED)
        json_object_set_new(object, "redelivered", json_true());
    if (value->flags & GC_LAST)
        json_object_set_new(object, "last", json_true());
    return object;
}

/* ---- lines ---- */

static void print_headers(const struct gc_message *message)
{
    for (size_t i = 0; i < message->headers_n; i++) {
        const struct gc_header *header = &message->headers[i];

        fwrite(header->name, 1, header->name_bytes, stdout);
        fputs(": ", stdout);
        fwrite(header->value, 1, header->value_bytes, stdout);
        putchar('\n');
    }
    if (message->headers_n)
        putchar('\n');
}

/* ---- a format ---- */

static void put(const void *data, size_t size)
{
    fwrite(data, 1, size, stdout);
}

static void put_number(uint64_t number)
{
    printf("%" PRIu64, number);
}

/* The header that is named behind `%h{`; nothing when there is none. */
static void put_header(const struct gc_value *value, const char *name, size_t size)
{
    const struct gc_message *message = gc_message(value);

    for (size_t i = 0; i < message->headers_n; i++) {
        const struct gc_header *header = &message->headers[i];

        if (header->name_bytes == size && !memcmp(header->name, name, size)) {
            put(header->value, header->value_bytes);
            return;
        }
    }
}

/* What a letter behind % stands for. */
static void put_part(char letter, const struct gc_message *message, const struct gc_value *value)
{
    char time[INSTANT_TEXT_BYTES];

    if (letter == 't')
        put(message->topic, message->topic_bytes);
    else if (letter == 'p')
        put(value->data, value->size);
    else if (letter == 'k')
        put(message->key, message->key_bytes);
    else if (letter == 's')
        put_number(message->sequence);
    else if (letter == 'l')
        put_number(message->lost);
    else if (letter == 'n')
        put_number(message->tries);
    else if (letter == 'T')
        fputs(format_instant(message->time_us, time), stdout);
    else
        putchar('%');
}

/* Where the name of a header ends, whose letter is at `at`; NULL: no name. */
static const char *header_end(const char *at)
{
    return at[1] == '{' ? strchr(at, '}') : NULL;
}

const char *message_format_error(const char *format)
{
    for (const char *at = format; (at = strchr(at, '%')); at++) {
        const char *letter = at + 1;

        if (!*letter || !strchr("tpkslnT%h", *letter))
            return at;
        if (*letter == 'h' && !header_end(letter))
            return at;
        at = *letter == 'h' ? header_end(letter) : letter;
    }
    return NULL;
}

static void print_format(const char *format, const struct gc_message *message, const struct gc_value *value)
{
    const char *part;

    for (; (part = strchr(format, '%')); format++) {
        put(format, (size_t)(part - format));
        format = part + 1;
        if (*format == 'h') {
            put_header(value, format + 2, (size_t)(header_end(format) - (format + 2)));
            format = header_end(format);
        } else
            put_part(*format, message, value);
    }
    fputs(format, stdout);
}

/* ---- all of them ---- */

int message_print(const struct options *options, bool topic, const struct gc_message *message,
                  const struct gc_value *value)
{
    char time[INSTANT_TEXT_BYTES];

    if (options->format) {
        print_format(options->format, message, value);
        return output_put(options, "", 0);
    }
    if (options->raw)
        return output_put(options, value->data, value->size);
    if (options->headers)
        print_headers(message);
    if (options->times)
        printf("%s ", format_instant(message->time_us, time));
    if (topic)
        printf("%s ", message->topic);
    return output_put(options, value->data, value->size);
}
