/*
 * What the example programs between processes share (form I of ROWS.md): how a participant says lines, checks what
 * must be observed, and meets the others.
 *
 * A row is one source. Its participants are functions; each runs in a process of its own, which is a client of a
 * private daemon, or as a job of the plugin guide_between, in a host of that daemon. They share no memory: what they
 * have in common are the named channels and locks of the daemon. The program guide_between runs a row once for each of its
 * functions: that one is the job, all others are clients. Then the row's judge looks at all lines, in the order in
 * which they were said. Nothing of it may be left in the daemon: no handle, no parked operation, no name, no value.
 * A function that is always a job (on_call) is one of a plugin, and may use goroutine.h as such; others only with
 * .goroutines.
 *
 * The functions below are called by participants, from one thread or goroutine. A check that does not hold ends the
 * participant, and with it the run.
 */
#pragma once

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "goclient.h"
#include "lines.h"

enum { TEXT_BYTES = 256, PARTS_MAX = 12, CHANNELS_MAX = 12 };

/* One participant, while it runs. */
struct part {
    const char *name;
    int index;       /* among those that run the same function: 0, 1, … */
    gc_client *g;    /* of its process; in a job: of the host, in the name of the job */
    bool is_job;     /* whether it runs in a host */
    uint64_t job;    /* its number there; 0: none */
    void *in_host;   /* its gp_job */
    const char *run; /* text that tells a job which run it belongs to */
    int lines;       /* where lines go */
};

/* ---- declaring ---- */

struct part_function {
    const char *name;
    void (*run)(struct part *me);
    int times;    /* so many participants run it; 0: one */
    bool dies;    /* each must end by SIGKILL, so it is never a job */
    bool no_job;  /* stays a client */
    bool on_call; /* runs when another participant submits it (submit_part), and at no other time */
};

struct part_channel {
    const char *name;
    struct gc_chan_options options; /* .capacity, …; size and GC_CREATE are added */
};

struct between_row {
    const char *id, *name;
    void (*judge)(void); /* in a process of its own, when all participants have ended */
    struct part_channel channels[CHANNELS_MAX]; /* made before they begin; must be empty at the end */
    struct part_function parts[PARTS_MAX];
    bool test_clock;       /* the daemon's time stands still but for gc_clock_advance */
    bool goroutines;       /* clients, too, run their function in a goroutine; jobs always do */
    const char *queues[3]; /* of the daemon, beside its own: NAME.SETTING=VALUE; NULL ends them */
};

#define PART(function)                                                                                       \
    {                                                                                                        \
        .name = #function, .run = (function)                                                                 \
    }
#define PARTS(n, function)                                                                                   \
    {                                                                                                        \
        .name = #function, .run = (function), .times = (n)                                                   \
    }
#define PART_WITH(function, ...)                                                                             \
    {                                                                                                        \
        .name = #function, .run = (function), __VA_ARGS__                                                    \
    }

/*
 * GUIDE_PARTS(G20, unbuffered, .channels = {{"numbers"}}, .parts = {PART(sender), PARTS(2, receiver)}): row G20, which
 * `static void unbuffered(void)` judges. A row may have several of them, each with a daemon of its own. One in which
 * nobody may be a job runs once, with clients alone.
 */
#define GUIDE_PARTS(row_id, judge_function, ...)                                                             \
    static const struct between_row judge_function##_row = {                                                 \
        .id = #row_id, .name = #judge_function, .judge = judge_function, __VA_ARGS__};                       \
    static const struct between_row *const judge_function##_entry                                            \
        __attribute__((section("between_rows"), used)) = &judge_function##_row

/* ---- lines and checks ---- */

/* One whole line. If one `say` has returned before another is called, in whatever process, its line is first. */
void say(struct part *me, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* For the judge: what all have said, and comparisons of it as in lines.h. */
extern struct lines part_lines;
bool said(const char *const *lines);
bool said_in_any_order(const char *const *lines);
bool said_by(const char *prefix, const char *const *lines);
size_t said_times(const char *format, ...) __attribute__((format(printf, 1, 2)));
bool said_first(const char *line);
bool said_last(const char *line);
bool said_before(const char *first, const char *second);

#define must(holds) part_must(!!(holds), #holds, __FILE__, __LINE__)
void part_must(bool holds, const char *what, const char *file, int line);

/* ---- channels ---- */

/* A handle of the channel `name`, with all rights. Given back when the participant ends. */
gc_chan chan_of(struct part *me, const char *name);

/* Send and receive text, and numbers as text; they wait for ever, and must succeed. Receives return false when the
 * channel is closed and drained; `text` has TEXT_BYTES. */
void send_text(struct part *me, gc_chan c, const char *format, ...) __attribute__((format(printf, 3, 4)));
void send_number(struct part *me, gc_chan c, int number);
bool recv_text(struct part *me, gc_chan c, char *text);
bool recv_number(struct part *me, gc_chan c, int *number);
void close_chan(struct part *me, gc_chan c);
/* What a call under a context has ended with: "context canceled", "context deadline exceeded". */
const char *error_words(int error);
/* The value as a number. */
int number_of(const struct gc_value *v);

/* ---- waiting for a state: each look is a question to the daemon ---- */

/* Until so many senders and receivers wait on the channel. */
void until_waiting(struct part *me, gc_chan c, unsigned senders, unsigned receivers);
/* Until it holds so many values. */
void until_length(struct part *me, gc_chan c, unsigned length);
/* One number of the daemon, as `goctl stats` names it. */
uint64_t stat_of(struct part *me, const char *name);

/* A step: a declared channel that is closed when the step is done. All who wait for it go on. */
void step_done(struct part *me, const char *name);
void step_wait(struct part *me, const char *name);
/* As step_done, and until those who waited for it wait again, whatever for but the end of a job: as many operations wait in the
 * daemon as did before. Nobody else may begin or end to wait meanwhile. */
void step_done_until_parked(struct part *me, const char *name);

/* Path of a file that all participants of this run share; of TEXT_BYTES. */
void shared_file(const struct part *me, const char *name, char *path);

/* ---- jobs ---- */

/* Submits a function of the row as a job of its own, as the index-th; with options: .delay_ns, .attempts_max, … */
gc_job submit_part(struct part *me, const char *name, int index);
gc_job submit_part_with(struct part *me, const char *name, int index, struct gc_submit options);

/* For a job: what its submitter finds as its result; a whole line of its kept output. */
void leave_result(struct part *me, const char *format, ...) __attribute__((format(printf, 2, 3)));
void print_line(struct part *me, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Not done, failed, …: as the daemon has it now. */
enum gc_job_state job_state(struct part *me, gc_job job);

/* Moves the clock of the daemon, under .test_clock. */
void advance_ms(struct part *me, int64_t ms);
