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

/* ---- leaks ---- */

/* A leak is a goroutine that waits for what will never come (Z4). */
enum go_leak_kind {
    GO_LEAK_PROVEN,    /* nobody who can run can reach what it waits for: no mistake is possible */
    GO_LEAK_SUSPECTED, /* it has waited for long; the program goes on, and may end the wait yet */
    GO_LEAK_BLOCKED,   /* at the end: it waits, and somebody could still have ended that */
    GO_LEAK_RUNNING    /* it does not wait */
};

struct go_leak {
    enum go_leak_kind kind;
    struct go_info info; /* with reason, age and place of the start */
};

/* "proven leak", "suspected leak", "left blocked", "left running". */
GO_API const char *go_leak_kind_name(enum go_leak_kind kind);

#define GO_LEAKS_AT_END ((int64_t)-1)

/*
 * Calls fn for goroutines of the program, or of `group`, other than the caller, oldest first; stops when it returns other
 * than 0 and returns that. fn must not wait. -ENOMEM.
 *     age_ns >= 0      the program goes on: who has waited for so long is suspected; and who runs at the moment
 *     GO_LEAKS_AT_END  the program, or the group, has come to its end: all that are left, proven where that can be. All
 *                      that wait are when nobody else can run any more. The caller yields until that is clear.
 */
GO_API int go_leaks(const go_group *group, int64_t age_ns, int (*fn)(const struct go_leak *leak, void *arg),
                    void *arg);

/* Writes them: the kind, and what a dump says of the goroutine. Returns how many were proven or suspected. With
 * GOROUTINE_LEAKS=1 in the environment go_main does so on stderr when main has returned. */
GO_API int64_t go_leaks_write(const go_group *group, int64_t age_ns, int fd);

/* For tests: who is started from now on must have ended when go_leak_check looks. */
struct go_leak_mark {
    uint64_t id; /* the last one there was */
};
GO_API struct go_leak_mark go_leak_mark(void);

/* Writes every goroutine that was started since the mark and is still there, with its stack, and returns how many; 0 is
 * what a test wants. While one of them runs, or a
 * timer or a descriptor may end a wait, it waits for their end, `until` at most. */
GO_API int64_t go_leak_check(struct go_leak_mark mark, int fd, go_until until);

/* ---- traces ---- */

/* From now on it is recorded who runs when, waits for what, wakes whom, and sends a value to whom; at most `events` per
 * processor (0: 65536; 64 bytes each), later ones are dropped. -EBUSY (it is on), -EINVAL (more than 4194304), -ESRCH (the
 * runtime does not run), -ENOMEM. */
GO_API int go_trace_start(size_t events);

/* Ends that and writes the trace in Chrome's JSON, as Perfetto and chrome://tracing open it. Returns how many events were
 * dropped; -ESRCH: it was not on. */
GO_API int64_t go_trace_stop(int fd);

/* ---- memory ---- */

/* Bytes, unless said otherwise. */
struct go_memory {
    int64_t
        in_use; /* stacks, as far as they are resident, and the heap without the records of goroutines that have ended */
    int64_t from_system; /* stacks, as they are mapped, and the heap: never less than in_use */
    uint64_t total;      /* of all that was ever taken, given back since or not: never falls */
    int64_t stacks;      /* how many goroutines have one or processors keep */
    int64_t stacks_bytes, stacks_resident;
    int64_t heap_bytes;          /* of the runtime itself */
    uint64_t allocations, frees; /* on the heap, by the runtime itself: how many */
    int64_t user_bytes;          /* of go_alloc */
    uint64_t user_allocations, user_frees;
};

/* Asks the kernel about every page of every stack: some milliseconds per 10,000. */
GO_API void go_memory_read(struct go_memory *out);

/* Gives the memory of stacks that no goroutine has back to the kernel. A processor that runs gives what it keeps when it
 * next sleeps. Returns how many stacks it gave back at once. */
GO_API int64_t go_trim(void);

/* Writes go_stats_read and go_memory_read as one object of JSON and a newline. Its keys stay. */
GO_API int go_stats_json(int fd);

/* Zeroed memory that is counted, for go_free; NULL without any. Waits for nobody. */
GO_API void *go_alloc(size_t bytes);

/* NULL is nothing. */
GO_API void go_free(void *p);

/* From now on the stack of every call of go_alloc is counted, from zero. Costs some microseconds each. -ENOMEM. */
GO_API int go_alloc_profile_start(void);
GO_API void go_alloc_profile_stop(void);

/* Writes what was counted since the start: calls, and in pprof's format bytes asked for, too. -ESRCH: no start. -EINVAL: no
 * such format. */
GO_API int go_alloc_profile_write(int fd, enum go_profile_format format);

#ifdef __cplusplus
}
#endif
#endif
