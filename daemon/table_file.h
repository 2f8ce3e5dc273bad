/*
 * Files that are tables: a row a line, words with blanks between them; empty lines and those that begin with # say
 * nothing. Such files say who may do what, so nobody but their owner may write them.
 */
#pragma once

#include <stddef.h>

enum {
    TABLE_FILE_BYTES_MAX = 1 << 20,
    TABLE_ROW_WORDS_MAX = 4,
};

struct table_reader {
    unsigned words;   /* of each row */
    const char *form; /* of a row, for people: "NAME PUBLICKEY" */
    /* Takes one row. The words live for the call. A failure with *why (heap) gets file and line before it. */
    int (*row)(void *context, const char *const *words, char **why);
    void *context;
};

/* Hands each row of the file to the reader, until one fails. 0; -EINVAL: not such a table; -EACCES: others may write it;
 * errors of open and of the reader; -ENOMEM. On failure *why (heap) says file, line and what is wrong. */
int table_file_read(const char *path, const struct table_reader *reader, char **why);

/* The same of a text, which is changed; `path` is what errors call it. */
int table_text_read(const char *path, char *text, size_t size, const struct table_reader *reader, char **why);
