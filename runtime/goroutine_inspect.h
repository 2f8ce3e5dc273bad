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

/* ---- profiles ---- */

enum go_profile_format {
    GO_PROFILE_PPROF, /* profile.proto, as `go tool pprof` and other viewers open it; not compressed */
    GO_PROFILE_FOLDED /* one line a stack, outermost function first: "main;worker;go_chan_recv 7" */
};

/* Writes how many goroutines, of all or of `group`, stand at each place; together as many as there are. One that runs at
 * the moment, or has yet to begin, stands in the function it was started with. -EINVAL: no such format. */
GO_API int go_goroutine_profile(const go_group *group, int fd, enum go_profile_format format);

/* From now on every processor is interrupted `hz` times (1 to 1000) per second of CPU time it uses, and the stack of the
 * goroutine that runs there is counted. Takes SIGPROF. -EINVAL, -EBUSY (it is on), -ESRCH (the runtime does not run),
 * -ENOMEM, or why the kernel gives no timer (-EAGAIN). */
GO_API int go_cpu_profile_start(int hz);

/* Ends that. Returns how many samples found no room, or -ESRCH when it was not on. */
GO_API int64_t go_cpu_profile_stop(void);

/* Writes what was counted, while it is on and after that until the next start: samples, and in pprof's format their time,
 * too. -ESRCH: there was no start. -EINVAL: no such format. */
GO_API int go_cpu_profile_write(int fd, enum go_profile_format format);

#ifdef __cplusplus
}
#endif
#endif
