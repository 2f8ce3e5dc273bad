/*
 * goroutine_test.h: for tests of programs with goroutines. Time is go_bubble's in goroutine.h; here is the order in which
 * goroutines run.
 */
#ifndef GOROUTINE_TEST_H
#define GOROUTINE_TEST_H

#include "goroutine.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * From the next start of the runtime on, with a seed other than 0: runs that repeat. One goroutine runs at a time,
 * whatever go_set_procs says; which of the ready ones is next at each scheduling point, and which ready case a select
 * takes, is drawn from the seed. Another seed gives another order, the same seed the same again, as far as the program
 * takes nothing from outside the runtime: time only from a bubble, no descriptors, no go_blocking, no threads of its own.
 * go_checkpoint always yields; nothing ends the turn of a loop without calls, and a mutex counts turns in place of its
 * millisecond (M2). 0, the default: off. Returns the old seed. The environment variable GOROUTINE_SEED is the seed of
 * programs that set none. Any thread.
 */
GO_API uint64_t go_set_seed(uint64_t seed);

#ifdef __cplusplus
}
#endif
#endif
