/*
 * The rules of channels as tests that do not know whose channels they test.
 *
 * An implementation is one table of functions, `channels`, in a file of its own; each is linked with the same
 * tests. The tests themselves run on a plain thread; what has to wait runs in an actor (a goroutine, or a
 * seat to another process), and `parked` says when so many actors wait: nothing here sleeps.
 * Values are 8 bytes, or none on a channel made with 0 bytes.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum wait_kind {
    WAIT_FOREVER,
    WAIT_NOW,  /* the try forms */
    WAIT_PAST, /* a deadline that is past on arrival */
    WAIT_STOP, /* for ever, unless `stop` is cancelled */
    WAIT_SOON, /* a deadline that comes in a moment */
};

struct wait {
    enum wait_kind kind;
    void *stop;
};

#define FOREVER      ((struct wait){WAIT_FOREVER, NULL})
#define NOW          ((struct wait){WAIT_NOW, NULL})
#define PAST         ((struct wait){WAIT_PAST, NULL})
#define SOON         ((struct wait){WAIT_SOON, NULL})
#define UNLESS(stop) ((struct wait){WAIT_STOP, (stop)})

enum way { WAY_SEND = 1, WAY_RECV };

/* One case of a select: the value to send, or where to receive. */
struct choice {
    enum way way;
    void *chan;
    uint64_t *value;
    int status; /* of the chosen case: 0 or 1 or -EPIPE, as the single operation */
};

enum { CHOICES_MAX = 8 };

/* One implementation. Results are those of goroutine.h and goclient.h: a receive gives 1 or 0, a select its
 * index, -EAGAIN what NOW cannot do, -EPIPE closed, -ECANCELED stopped, -ETIMEDOUT past. */
struct channels {
    const char *name;
    int rounds; /* of tests that repeat themselves: about a second in all */
    bool (*start)(void);
    void (*stop)(void);
    void *(*make)(uint64_t capacity, size_t value_bytes); /* NULL: refused */
    void *(*dup)(void *chan);                             /* one more handle of the same channel */
    void *(*narrow)(void *chan, enum way way);            /* a handle for one way only; may be NULL */
    void (*drop)(void *chan);
    int (*send)(void *chan, const void *value, struct wait wait);
    int (*recv)(void *chan, void *value, struct wait wait);
    /* Batches of 8-byte values: how many were moved, else as the single operation. */
    int (*send_many)(void *chan, const uint64_t *values, int n, struct wait wait);
    int (*recv_many)(void *chan, uint64_t *values, int n, struct wait wait);
    /* A channel as the value of another, made for 8 bytes (U6). What is received is the actor's own, and its to drop. */
    int (*send_chan)(void *chan, void *value, struct wait wait);
    int (*recv_chan)(void *chan, void **value, struct wait wait);
    int (*close)(void *chan);
    int (*select)(struct choice *choices, int n, struct wait wait);
    int64_t (*len)(void *chan);
    int64_t (*cap)(void *chan);
    int (*cases_max)(void);
    void (*spawn)(void (*fn)(void *arg), void *arg);
    bool (*parked)(int n); /* whether exactly n actors wait in a channel operation */
    void *(*stop_new)(void);
    void (*stop_cancel)(void *stop);
    void (*stop_free)(void *stop);
};

extern const struct channels channels;

/* ---- operations of actors ---- */

struct call;

/* Begins an operation in an actor of its own. */
struct call *send_later(void *chan, uint64_t value, struct wait wait);
struct call *recv_later(void *chan, struct wait wait);
struct call *select_later(const struct choice *choices, int n, struct wait wait);
/* A batch; the values are the caller's, until its end. */
struct call *many_later(enum way way, void *chan, uint64_t *values, int n, struct wait wait);
struct call *close_later(void *chan);
struct call *run_later(void (*fn)(void *arg), void *arg);

/* Waits for its end, frees it, gives its result. `value` may be NULL: what was received. */
int finish(struct call *call, uint64_t *value);
/* Whether it has ended; an operation that is parked has not. */
bool finished(const struct call *call);
/* Waits until so many operations are parked. */
void await_parked(int n);

static inline int send_now(void *chan, uint64_t value)
{
    return channels.send(chan, &value, NOW);
}

static inline int recv_now(void *chan, uint64_t *value)
{
    return channels.recv(chan, value, NOW);
}

#define send_case(c, v) ((struct choice){WAY_SEND, (c), (v), 0})
#define recv_case(c, v) ((struct choice){WAY_RECV, (c), (v), 0})

/* ---- random numbers that a seed repeats ---- */

struct dice {
    uint64_t state;
};

uint64_t dice_roll(struct dice *dice);
/* 0..n-1 */
uint32_t dice_below(struct dice *dice, uint32_t n);

/* Of this run: --seed, or 1; --steps of the model test, 0 for as many as take a moment; --procs, or 2: processors, where the
 * implementation has any. */
extern uint64_t conform_seed, conform_steps;
extern int conform_procs;
/* --placement: in which processes the actors are, where the implementation has a choice; or NULL. */
extern const char *conform_placement;

/* ---- the groups, each in a file of its own: how many tests failed ---- */

int run_unbuffered(void);
int run_buffered(void);
int run_close(void);
int run_select(void);
int run_order(void);
int run_programs(void);
int run_model(void);
