/*
 * The lines that an example program has said, and how they are compared with those it must say. Pure: no lock, no I/O.
 * Whoever shares one between threads guards it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Lines and integers that are wanted. */
#define LINES(...) ((const char *const[]){__VA_ARGS__, NULL})
#define INTS(...)  (const int[]){__VA_ARGS__}, sizeof((const int[]){__VA_ARGS__}) / sizeof(int)

/* In the order in which they were said. Zeroed is empty. */
struct lines {
    char **line; /* each is a copy of its own */
    size_t n, room;
};

/* Aborts where there is no memory. */
void lines_add(struct lines *lines, const char *text);
/* Makes it empty. */
void lines_drop(struct lines *lines);

/* Those that begin with `prefix` are exactly these, in this order. */
bool lines_are(const struct lines *lines, const char *prefix, const char *const *wanted);
/* All of them are exactly these, in any order. */
bool lines_are_set(const struct lines *lines, const char *const *wanted);
/* How many are this line. */
size_t lines_count(const struct lines *lines, const char *line);
/* The first is this line; the last is. */
bool lines_begin(const struct lines *lines, const char *line);
bool lines_end(const struct lines *lines, const char *line);
/* All that begin with `first` come before all that begin with `second`, and there are some of both. */
bool lines_ordered(const struct lines *lines, const char *first, const char *second);

/* Whether the n integers are these, in this order, or in any order. */
bool ints_are(const int *got, size_t n, const int *wanted, size_t wanted_n);
bool ints_are_set(const int *got, size_t n, const int *wanted, size_t wanted_n);
