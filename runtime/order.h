/* Orders that are not the scheduler's own, for tests: drawn from a seed, or each time on another processor. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct g;
struct proc;

/* What holds until the runtime stops: go_set_seed, GOROUTINE_SEED, GOROUTINE_MIGRATE. */
void order_start(void);

/* Seeded: one processor, no watchdog, and nothing that depends on time. */
bool order_seeded(void);

/* The first bits of `attention` of every processor. */
unsigned order_attention(void);

/* Where the random numbers of a processor begin. Never 0. */
uint64_t order_random(int index);

/* In place of a clock, for what must not depend on time: moves with every goroutine that is picked. Seeded runs. */
int64_t order_clock_ns(void);

/* Takes what p shall run from the global queue, where all that is ready lies; NULL: there is nothing for p. */
struct g *order_take(struct proc *p);
