/*
 * The sum of what wordcount sends: each file once, however often its job ran. One thread.
 *
 * Invariant: a file is waiting until its last part or its error has come; only then its counts are added.
 */
#pragma once

#include <stdbool.h>

#include "words.h"

enum file_state { FILE_WAITING, FILE_COUNTED, FILE_FAILED };

struct file {
    char *path;
    enum file_state state;
    uint64_t run, parts; /* of the run whose parts are being collected */
    struct words words;
};

struct tally {
    struct file *files; /* the tag of a file is its place in here */
    size_t files_n, room;
    size_t counted, failed;
    struct words words;
    uint64_t lines, bytes;
};

/* One more file, waiting; copies the path. 0 or -ENOMEM. */
int tally_add(struct tally *tally, const char *path);

/* A value of the channel RESULTS. 0, or -EBADMSG (a value that wordcount does not write), -ENOMEM. */
int tally_take(struct tally *tally, const char *text, size_t size);

/* The file will not be counted. True when it was waiting, so that an error is told once. */
bool tally_fail(struct tally *tally, size_t tag);

/* A value of the channel ERRORS, "TAG reason": the reason, when the file was waiting; else NULL. `text` must
 * end with a zero. */
const char *tally_take_error(struct tally *tally, const char *text);

bool tally_complete(const struct tally *tally);
void tally_clear(struct tally *tally);
