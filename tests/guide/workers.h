/*
 * What the programs w1_wordstat to w7_primes share: the work of p1 to p7, done by other processes. The program and its
 * workers are clients of one daemon, and workers are the same program, started once more. They have two channels in
 * common: tasks, and what becomes of them. A worker acknowledges a task when its result is on its way: if it dies before,
 * another one gets the task.
 *
 *     w1_wordstat [-w N | --sequential] FILE...
 *
 * -w: so many workers, 2 where nothing is said. --sequential: no daemon, the program does it all.
 *
 * The program has one thread; nothing here is called from another.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "goclient.h"

enum { STATUS_OK, STATUS_FAILED, STATUS_USAGE };

/* What a task has come to: bytes of malloc. */
struct outcome {
    char *data;
    size_t bytes;
};

struct workers;

struct worker_program {
    const char *operands; /* for the usage */
    const char *flag;     /* a switch of its own; or NULL */
    /* The program itself: gives tasks; its exit status. `operands`: at least one, the last is followed by NULL. */
    int (*run)(struct workers *w, char **operands, bool flag);
    struct outcome (*work)(const char *task, size_t bytes);
    /* Called with the outcome of each task, in the order of the tasks; all of it is borrowed. */
    void (*take)(const char *data, size_t bytes);
    /* Where workers do something else than tasks: what the index-th of n processes does. Channels have names that
     * begin with `name`. */
    void (*process)(gc_client *g, const char *name, int index, int n);
};

/* The main function of a program. */
int workers_main(int argc, char **argv, const struct worker_program *program);

/* Gives a task to the workers; takes outcomes while too many tasks are under way. False: it was interrupted. */
bool workers_give(struct workers *w, const char *task, size_t bytes);
/* Takes the outcomes of all tasks that were given. False: it was interrupted. */
bool workers_settle(struct workers *w);
/* Lets this signal interrupt both. Before the first task. */
void workers_interrupt(struct workers *w, int signal_number);
bool workers_interrupted(const struct workers *w);

/* 0: --sequential. */
int workers_n(const struct workers *w);
/* A client of this program's daemon, for further processes of it; or the end of the program. */
gc_client *workers_connect(void);
/* For what workers do beside tasks. A channel of theirs: made by whoever opens it first, and without a name when the
 * program ends. */
gc_client *workers_client(const struct workers *w);
gc_chan workers_chan(gc_client *g, const char *name, const char *part, int number, uint64_t capacity);
const char *workers_name(const struct workers *w);
/* That of the tasks: closed at the end of the program. */
gc_chan workers_tasks(gc_client *g, const char *name);

/* Tells what is wrong with it. */
void tell_error(const char *what, int error);
/* Memory, or the end of the program. */
void *must_alloc(size_t bytes);
/* Standard output, by the name under which counts.c knows it. */
FILE *program_out(void);
