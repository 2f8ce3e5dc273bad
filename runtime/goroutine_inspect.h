/*
 * goroutine_inspect.h: what a running program of libgoroutine can tell about itself, to people and to tools.
 *
 * Everything here may be called from any goroutine and any thread while the runtime runs. What is read while
 * others run is true of each goroutine at one moment, not of all at one moment together. Calls that write to a
 * descriptor block like write does; they return 0, or a negative errno value of write, or -ENOMEM.
 */
#ifndef GOROUTINE_INSPECT_H
#define GOROUTINE_INSPECT_H

#include "goroutine_host.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- locks ---- */

/* Writes every circle of goroutines that wait for each other's mutexes: who waits for which mutex, and who
 * locked it last. Looks at all goroutines, or at the members of `group`. Returns how many circles there are. */
GO_API int go_lock_cycles(const go_group *group, int fd);

#ifdef __cplusplus
}
#endif
#endif
