/* Standard input as values: one a line, or all of it as one. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "goclient.h"

/* A longer line is refused: no channel takes it. */
enum { LINE_BYTES_MAX = 64 << 20 };

struct lines {
    int fd;
    int stop_fd; /* readable: end with -ECANCELED; -1: never */
    char *data;
    size_t begin, end, room; /* data[begin, end) is read and not taken */
    bool ended;
};

/*
 * Takes the lines that are there, at most `max`, waiting only for the first. Their bytes, without newlines,
 * stay valid until the next call. The number; 0 at the end of the input. -E2BIG: a line over LINE_BYTES_MAX,
 * -ECANCELED, -ENOMEM, or what read said.
 */
int lines_take(struct lines *lines, struct gc_value *values, size_t max);

/* All that is left as one value, as above: 0, or a negative errno value. */
int lines_rest(struct lines *lines, struct gc_value *value);

void lines_release(struct lines *lines);
