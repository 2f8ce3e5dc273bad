/*
 * What the example programs of ROWS.md share: how a row says lines, checks what must be observed, and waits for a
 * state without sleeping.
 *
 * A row is one source. It runs as a program of its own (main.c) and as a job of the plugin guide_rows (plugin.c): its
 * body is a goroutine in both. When the body has returned, the goroutines it started must be gone: the run fails if one
 * is left parked.
 *
 * Everything here is called from goroutines of the row, unless it says otherwise. A check that does not hold panics, and
 * the run has failed even if the panic is recovered.
 */
#pragma once

#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "goroutine.h"
#include "lines.h"

/* ---- declaring ---- */

/* How a part ends that must not end well. */
enum guide_end {
    ENDS_WELL,
    ENDS_IN_DEADLOCK,
    ENDS_IN_PANIC, /* also one that recover does not stop */
    ENDS_IN_FATAL, /* the process is aborted; as a job: a crash of its host, charged to it */
    ENDS_IN_RACE,  /* a part of the race build alone, which must report it */
};

/* How a part ended as a program of its own. */
struct guide_ending {
    int status; /* as waitpid gives it */
    const char *out, *err;
};

enum { GUIDE_TEXTS = 8, GUIDE_PROCS = 4 };

struct guide_row {
    const char *id, *name;
    void (*body)(void);
    bool is_part;

    /* Of a part, all optional: what it must end in, and words that must, or must never, be in what it says. */
    enum guide_end ends;
    const char *says[GUIDE_TEXTS];       /* in its report: standard error, or the text of the failed job */
    const char *prints[GUIDE_TEXTS];     /* in its output: standard output, or the kept output of the job */
    const char *never[GUIDE_TEXTS];      /* in neither */
    const char *job_prints[GUIDE_TEXTS]; /* in the kept output of the job */
    void (*judge)(const struct guide_ending *ending); /* as a program only; called on a plain thread */

    /* Of both, optional. */
    /* Numbers of processors in place of 1, 2 and 4; a single one is the host's, too, while the job runs. */
    int procs[GUIDE_PROCS];
    bool drops_goroutines; /* ends with others left: what they held is no leak */
    bool debug_only;       /* shows a check that a release build of the runtime leaves out */
    const char *no_race;   /* why it is left out of the race build */
    const char *no_job;    /* why it is not run as a job */
    const char
        *long_run; /* why it is left out, and told as skipped, while TESTS_SHORT is in the environment */
};

/*
 * GUIDE_ROW(G20, unbuffered, …) makes the function `static void unbuffered(void)` the program of row G20; GUIDE_PART makes
 * it a further one, run in a process or job of its own because it must end badly or is judged from outside. What follows
 * are initialisers of struct guide_row: .ends = ENDS_IN_DEADLOCK, .says = {"asleep"}. One a line, as manifest.py reads them.
 */
#define GUIDE_ROW(id, function, ...)  GUIDE_ENTRY(id, function, false, __VA_ARGS__)
#define GUIDE_PART(id, function, ...) GUIDE_ENTRY(id, function, true, __VA_ARGS__)
#define GUIDE_ENTRY(id, function, part, ...)                                                                 \
    static const struct guide_row function##_row = {#id, #function, function, part, __VA_ARGS__};            \
    static const struct guide_row *const function##_entry __attribute__((section("guide_rows"), used)) =     \
        &function##_row

/* Whether the row runs as a job, not as a program. */
bool guide_is_job(void);
/* The id of that job; 0 of a program. */
uint64_t guide_job_id(void);

/* ---- lines ---- */

/* One whole line: kept in the order of the calls, and printed to standard output or to the job's kept output. */
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* What a context has ended with, in words for a line: "context canceled", "context deadline exceeded"; "" while it lives. */
const char *ctx_error(const go_ctx *ctx);
/* Printed as `say` does, but not kept, and without a lock of the harness. */
void say_unkept(const char *line);

/* The lines said so far, for the checks below: exactly these in this order; these in any order; those that begin with
 * `prefix` are exactly these in this order; how many are this line; the first and the last; all that begin with `first`
 * come before all that begin with `second`, and there are some of both. */
bool said(const char *const *lines);
bool said_in_any_order(const char *const *lines);
bool said_by(const char *prefix, const char *const *lines);
size_t said_times(const char *format, ...) __attribute__((format(printf, 1, 2)));
bool said_first(const char *line);
bool said_last(const char *line);
bool said_before(const char *first, const char *second);
size_t said_lines(void);
/* A new scene: nothing has been said. */
void say_nothing_yet(void);

/* ---- checks ---- */

#define must(holds) guide_must(!!(holds), #holds, __FILE__, __LINE__)
void guide_must(bool holds, const char *what, const char *file, int line);

/* ---- waiting for a state ---- */

/* Until exactly n goroutines of the row wait for `reason`, as dumps name it: "chan send", "chan receive", "select",
 * "mutex", "rwmutex lock", "rwmutex rlock", "cond", "wait group", "once", "sleep", … */
void until_parked(int n, const char *reason);
/* How many do now. */
int parked(const char *reason);
/* Until exactly n wait, whatever for. */
void until_waiting(int n);

/* Until n goroutines of the row live, the caller among them. */
void until_live(int n);

/* Until the caller is the only one left. If others are left waiting, and nobody is there to wake them, it reports their
 * stacks to standard error and panics: leaked goroutines. Every row ends with this. */
void must_end_clean(void);

/* A place where goroutines are held until the test has seen what it asserts. Zeroed is shut. */
struct gate {
    go_mutex lock;
    go_cond opened;
    int waiting;
    bool open;
};
void gate_pass(struct gate *gate);         /* waits until it is open */
void gate_open(struct gate *gate);         /* for good */
void gate_until(struct gate *gate, int n); /* until n goroutines are held */

/* How many are inside, and how many were at most. Zeroed is empty. */
struct peak {
    atomic_int now, most;
};
void peak_enter(struct peak *peak);
void peak_leave(struct peak *peak);

/* ---- time ---- */

/* Runs fn(arg) on a clock of its own that jumps whenever all wait (go_bubble), until all it started have ended. */
void on_fake_clock(void (*fn)(void *arg), void *arg);
/* Milliseconds since that clock began. */
int64_t fake_ms(void);
