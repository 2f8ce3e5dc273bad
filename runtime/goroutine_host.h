/*
 * goroutine_host.h: for programs that run other people's code as goroutines, and for libraries that park
 * them.
 *
 * What is here may change between versions; goroutine.h does not.
 */
#ifndef GOROUTINE_HOST_H
#define GOROUTINE_HOST_H

#include <stdbool.h>

#include "goroutine.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- the runtime in the background
 * ------------------------------------------------------------------------------ */

/*
 * Starts `procs` processors (0: as go_set_procs says) on threads of their own and returns. Those threads
 * block every signal that is not caused by the code they run. Goroutines may then be spawned from any thread.
 * Never reports a global deadlock (Z2). -EBUSY: it runs. -ENOMEM, -EAGAIN: no memory, no threads.
 */
GO_API int go_start(int procs);

/*
 * Stops the processors and frees what the runtime holds; goroutines that are left are dropped, not unwound.
 * Call it from a thread, with nobody else inside the runtime. -EBUSY: a goroutine did not come to a
 * scheduling point within 100 ms, of CPU time if it computes; nothing was freed, the runtime cannot start
 * again, the process should exit.
 */
GO_API int go_stop(void);

GO_API bool go_running(void);

/* ---- parking for libraries
 * -------------------------------------------------------------------------------------- */

/* One wait of one goroutine or thread. Copy it freely; it never dangles while the runtime runs. */
typedef struct {
    void *who;
    uint64_t ticket;
} go_wait;

#define GO_PARK_MASKED                                                                                       \
    1u /* the end of the goroutine's scope does not end this wait: somebody surely answers it */

/*
 * How a library waits:
 *
 *     go_wait wait = go_wait_begin();          names the wait; nothing happens yet
 *     publish `wait` where a service thread finds it
 *     r = go_park(wait, "reply", 0, until);    the outcome given to go_ready, or why it ended without one
 *
 * go_ready may come before go_park. One of go_ready, deadline, context and scope end decides; the others find
 * it taken. Between go_wait_begin and go_park nothing that waits may be called. go_wait_cancel gives the wait
 * up instead of parking: 1 nobody had answered, 0 somebody had: the wait is over either way.
 */
GO_API go_wait go_wait_begin(void);
GO_API int go_wait_cancel(go_wait wait);

/* `reason` is shown in dumps and lives for ever. 0..GO_OUTCOME_MAX: what go_ready gave; otherwise as `until`
 * says. A parked goroutine of this kind is never durably blocked and rules out a global deadlock. */
#define GO_OUTCOME_MAX 65535
GO_API int go_park(go_wait wait, const char *reason, unsigned flags, go_until until);

/* 1: this call ends the wait; 0: it is over already. From any thread, also one that is not the runtime's.
 * Never blocks. */
GO_API int go_ready(go_wait wait, int outcome);

/* Readies many with one wake-up of the processors: go_ready for each of n. Returns how many it ended. */
GO_API int go_ready_all(const go_wait *waits, int n, int outcome);

/*
 * Watches the cases of a select without taking anything, for who waits for something else beside: `wait`, begun and not
 * parked, is ended with `outcome` when one of them may have become ready; a go_select of them then tells. The cases,
 * n > 0 of them, are only read; their objects live until go_watch_end, which also must be called when the wait was
 * ended otherwise.
 * 0: watching. 1: one may be ready now, *out is NULL and the wait still open. -ENOMEM: likewise.
 */
typedef struct go_watch go_watch;
GO_API int go_watch_begin(go_wait wait, const struct go_case *cases, int n, int outcome, go_watch **out);
GO_API go_watch *go_watch_end(go_watch *watch); /* accepts NULL, returns NULL */

/* Whether the caller is a goroutine, not a plain thread. */
GO_API bool go_inside(void);

/* Whether the deferred function that asks was called by a panic that nobody has recovered so far. */
GO_API bool go_panicking(void);

/* ---- groups: a tree of goroutines with one end
 * ------------------------------------------------------------------ */

/*
 * Every goroutine that a member spawns is a member. The first member is the root: others may use what lies on its stack, so
 * when the group ends the root goes last, and its go_exit ends the group. Its return does not; and a panic that one of its
 * deferred functions might recover unwinds it at once.
 *
 * The hooks may be NULL and get the `arg` of the group.
 *   panicked     in the panicking member, after its deferred functions; in a root that has none, before it is unwound: the
 *                text and the stack of the panic, one frame a line. The member then ends, as by go_exit; the others go on
 *                until the hook or somebody else ends the group. A panic kept for a wait that nobody has called (E4) comes
 *                in a goroutine of the runtime, before `empty`. Without this hook a panic ends the program (P4).
 *   deadlocked   in a goroutine of the runtime: all members wait, durably, on objects made by members, with no deadline,
 *                context or descriptor (Z5). Nobody but the hook can wake them: go_group_end.
 *   empty        in a goroutine of the runtime, once, after the last member has ended and the group was ended.
 */
struct go_group_hooks {
    void (*panicked)(go_group *group, const char *text, const char *stack, void *arg);
    void (*deadlocked)(go_group *group, void *arg);
    void (*empty)(go_group *group, void *arg);
};

/* A group without members. `ctx` (held; may be NULL) is what go_group_ctx answers. Counted. NULL: out of
 * memory. */
GO_API go_group *go_group_new(const struct go_group_hooks *hooks, go_ctx *ctx, void *arg);
GO_API go_group *go_group_ref(go_group *group);
GO_API go_group *go_group_unref(go_group *group);
GO_API void *go_group_arg(const go_group *group);
GO_API go_ctx *go_group_ctx(const go_group *group);

/* The group of the calling goroutine, NULL for none. Not counted: it lives as long as the goroutine. */
GO_API go_group *go_group_current(void);

/*
 * The scope ends (P5): the wait a member is in, or its next, returns -ECANCELED if it can fail; any later
 * one, and any that cannot fail (mutex, cond, waitgroup, once), unwinds the member as go_exit does. The root comes out
 * of its wait when all other members have ended. Deferred functions run. A member that computes goes on until it waits
 * or calls go_checkpoint. New members are refused with -ECANCELED. Its context is not touched: cancel it first. Returns
 * at once; repeating does nothing.
 */
GO_API void go_group_end(go_group *group);
GO_API bool go_group_ended(const go_group *group);

/* Members that have not ended. */
GO_API int64_t go_group_live(const go_group *group);

/* 0 when the group is ended and no member is left. Not from a member. */
GO_API int go_group_wait(go_group *group, go_until until);

/* ---- looking inside
 * --------------------------------------------------------------------------------------------- */

enum go_state { GO_STATE_READY, GO_STATE_RUNNING, GO_STATE_PARKED };

#define GO_FRAMES_MAX 32

struct go_info {
    uint64_t id;
    enum go_state state;
    const char *reason; /* of the wait; "" when it does not wait */
    /* How long it has waited; of one that runs: how long it has not yielded, 0 for less than 10 ms (H4). */
    int64_t age_ns;
    char name[32]; /* as set, or the function */
    void (*function)(void *arg);
    const struct go_site *site; /* NULL when started without; then spawn_pc says where */
    void *spawn_pc;
    go_group *group;
    const void *object;      /* what it waits for; NULL: nothing that is known, or several channels */
    const char *object_kind; /* "channel", "mutex", "wait group", "cond", ...; "" */
    int objects;             /* how many it waits for */
    bool timed;              /* the wait has a deadline */
    uint64_t locker;         /* of a mutex: the goroutine that locked it last, 0 for a thread */
    int64_t count,
        capacity; /* of a channel: values buffered, and at most; of a semaphore: units held, and all; count of a wait group */
    int frames; /* of a parked goroutine, innermost first; 0 otherwise */
    void *frame[GO_FRAMES_MAX];
};

/* Calls fn for every goroutine, or every member of `group`; stops when it returns other than 0 and returns
 * that. The picture of each is consistent, not that of all together. fn must not wait, yield, panic or exit, which end the
 * program, nor end the group or start members. */
GO_API int go_each(const go_group *group, int (*fn)(const struct go_info *info, void *arg), void *arg);

/* Writes the text of go_dump for one goroutine; returns the length it needs, as snprintf. */
GO_API int go_info_format(const struct go_info *info, char *out, size_t size);

/* go_dump of one group. */
GO_API int go_group_dump(const go_group *group, int fd);

/* Which goroutine this thread runs, and whether `fault_address` (may be NULL) lies in the guard of its stack:
 * a stack overflow. Async-signal-safe. False on a thread that runs none. */
struct go_crash {
    uint64_t id;
    const char *name, *function, *file; /* "" when not known */
    int line;
    void *pc; /* of the goroutine's function */
    go_group *group;
    size_t stack_bytes;
    bool overflow;
};
GO_API bool go_crash_read(struct go_crash *out, const void *fault_address);

/* In a signal handler: the text of a stack of return addresses, one line a frame. A child process looks up the names, so it
 * neither hangs nor dies of what is broken in this one; it takes 3 s at most. Returns the length, or a negative errno
 * value when nothing could be found out. */
GO_API int go_crash_stack(void *const *frames, int n, char *out, size_t size);

/* go_main and go_start install a handler of SIGSEGV, SIGBUS, SIGFPE and SIGILL. It reports a stack overflow on stderr
 * and passes the signal on to the handler that was there before; where there was none, it reports the signal, its
 * goroutine and its stack. Handlers run on an alternate stack; install yours with SA_ONSTACK. */

/* ---- a clock for tests
 * ------------------------------------------------------------------------------------------ */

/* From the next call of go_start on, the runtime's clock stands at `ns` and moves only by go_clock_advance,
 * which fires what became due. go_clock_real goes back. Not while the runtime runs. */
GO_API void go_clock_fake(int64_t ns);
GO_API void go_clock_real(void);
GO_API void go_clock_advance(int64_t ns);

#ifdef __cplusplus
}
#endif
#endif
