/*
 * What the programs p1 to p7 share: their options, files, output, and the end. Each is a process of its own
 * (program_process.c) and a function of a plugin (program_job.c), where its output is the result of the job.
 *
 *     int main(int argc, char **argv)
 *     {
 *         return program_main(argc, argv, "FILE...", NULL, run);
 *     }
 */
#pragma once

#include <stdbool.h>
#include <stdio.h>

#include "goroutine_net.h"
#include "goroutine_patterns.h"

enum {
    WORKERS_MAX = GO_WORKERS_MAX,
    BLOCK_BYTES = 128 * 1024, /* of a file, at once */
};

enum { PROGRAM_LINE_BYTES = 1024 }; /* of program_tell, with its end */

enum { STATUS_OK, STATUS_FAILED, STATUS_USAGE };

struct program {
    int workers;     /* -w N; as many as processors */
    bool sequential; /* --sequential: one goroutine does it all */
    bool flag;       /* the program's own switch */
    char **operands; /* at least one; the last is followed by NULL */
    int operands_n;
};

/* Runs fn as the main goroutine, with what the command line says; its result is the exit status. `flag` is the name of
 * a switch of the program's own, or NULL. What was printed must have reached standard output, else it failed. */
int program_main(int argc, char **argv, const char *operands, const char *flag,
                 int (*fn)(const struct program *p));

/* For program_main: what the command line says, or STATUS_USAGE and how it is used is told. The operands stay in argv. */
int program_parse(int argc, char **argv, const char *operands, const char *flag, struct program *out);

/* Where its results go: standard output, or the result of the job. */
FILE *program_out(void);
/* One line beside the results: on standard error, or in the kept output of the job. */
void program_tell(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Tells what is wrong with `what`. */
void program_error(const char *what, int error);
/* Goroutines of the program that live. As a process it waits for those that run: who was joined may have a last step to
 * go, and it tells about the others. */
int64_t program_live(void);

/* Opens a file to read, on a spare thread: that may wait for a disk. A descriptor for go_read, or as open(2). */
go_fd file_open(const char *path);

/* Before program_main: the signal is for signal_ctx alone. */
void signal_block(int signal_number);
/* A context that the signal cancels, or the end of the job. Once in a program; the caller unrefs it. */
go_ctx *signal_ctx(int signal_number);

/* Memory, or the end of the program. */
void *must_alloc(size_t bytes);
void *must_realloc(void *old, size_t bytes);
