/* Goroutines that are locked to a thread of their own (go_lock_thread; H7). */
#pragma once

#include <stdbool.h>

struct g;
struct pin;
struct proc;
struct thread;

/* Whether `t` is the thread that g is locked to. g is locked to one. */
bool pin_has(const struct g *g, const struct thread *t);

/*
 * The idle loop of p, on its own thread: lends p to the thread of g, which runs g in its name, and returns when g
 * was switched away from.
 */
void pin_lend(struct proc *p, struct g *g);

/* g, which is locked, ends on its thread: the thread ends too. */
void pin_abandon(struct g *g);

/* Threads that goroutines are locked to. */
int pin_threads(void);

/* Ends the threads of goroutines that will not run again. The processors have ended. */
void pins_stop(void);
