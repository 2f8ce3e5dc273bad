/*
 * One figure of the runtime: a function that does `n` pieces of work inside a running runtime and says what came out
 * of it, a number that follows from n alone. The Go program in peer/ has the same functions under the same names.
 */
#pragma once

#include <stdint.h>

#include "goroutine.h"

/* What one run measured; the figure brackets the part that counts. */
struct run {
    int64_t n;
    int64_t wall_ns, cpu_ns; /* between run_begin and run_end; CPU: user and system, all threads */
    int64_t bytes;           /* resident, of figures about memory */
};

void run_begin(struct run *r);
void run_end(struct run *r);
int64_t resident_bytes(void);

struct figure {
    const char *name;
    uint64_t (*run)(struct run *r);
    uint64_t (*expected)(int64_t n);
    int64_t tiny; /* the n of the smoke test */
};

/* For work that must succeed: ends the program otherwise. */
void must(int r, const char *what);
go_chan *must_chan(size_t value_bytes, size_t capacity);

/* The spawning of a goroutine that cannot be refused here. */
#define must_spawn(fn, arg, arg_bytes) must(go_spawn((fn), (arg), (arg_bytes)), "go_spawn")

/* spawning.c */
uint64_t spawn_join(struct run *r);
uint64_t spawn_exit(struct run *r);
uint64_t fan_out(struct run *r);
uint64_t skynet(struct run *r);
uint64_t yields(struct run *r);
uint64_t yields_of_two(struct run *r);

/* messages.c */
uint64_t ping_pong(struct run *r);
uint64_t unbuffered_1x1(struct run *r);
uint64_t buffered_1x1(struct run *r);
uint64_t buffered_4x4(struct run *r);
uint64_t ring_503(struct run *r);
uint64_t select_4(struct run *r);
uint64_t sieve(struct run *r);

/* locks.c */
uint64_t mutex_8(struct run *r);
uint64_t rwmutex_8(struct run *r);

/* time.c */
uint64_t sleepers(struct run *r);
uint64_t timer_churn(struct run *r);

/* echo.c */
uint64_t echo_64(struct run *r);

/* memory.c */
uint64_t parked_bytes(struct run *r);
uint64_t queued_bytes(struct run *r);
