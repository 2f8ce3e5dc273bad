/*
 * Standard output: data, plain or as JSON, one object a line. Every call gives 0 or a negative errno value of
 * the write; -EPIPE (nobody reads any more) is told to nobody.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct options;

/* The bytes as they are, then a newline unless --raw; flushed. */
int output_bytes(const struct options *options, const void *data, size_t size);

/* The same, not flushed: for many that are written together. */
int output_put(const struct options *options, const void *data, size_t size);

/* One JSON object on a line; flushed. Takes the object; NULL is -ENOMEM. */
int output_json(json_t *object);

/* Flushes what was printed with stdio. */
int output_flush(void);

/*
 * Waits until the reader has taken everything written so far. Only a pipe can tell; elsewhere the write is
 * all there is to know. -EPIPE: it went away before; -ECANCELED: the command has to end.
 */
int output_taken(int stop_fd);

/* Sets `key` to the bytes as a string or, when they are not UTF-8, `key`_base64. 0 or -ENOMEM. */
int json_set_bytes(json_t *object, const char *key, const void *data, size_t size);

/* An instant of the wall clock as "2024-05-06T07:08:09.123456Z". */
enum { INSTANT_TEXT_BYTES = 40 };
const char *format_instant(int64_t us, char text[static INSTANT_TEXT_BYTES]);

/* Says why standard output failed and gives the exit status; quiet for -EPIPE, which is STATUS_NO_READER. */
int output_fail(int error);
