/*
 * G54 Goroutines that cannot outlive the call that started them.
 *
 * Pattern: structured concurrency. Who leaves a scope has everything that was begun in it: results, failures, and nobody
 * still at work.
 */
#include "goroutine_sync.h"
#include "guide.h"

enum { CHILDREN = 3, TASKS = 20 };

struct family {
    struct gate gate;
    int squares[CHILDREN]; /* each child's own; the parent's when the scope has been left */
};

struct child {
    int id;
    struct family *family;
};

static void square(void *arg)
{
    const struct child *me = arg;

    gate_pass(&me->family->gate);
    me->family->squares[me->id] = me->id * me->id;
    say("child ended");
}

static int start_children(go_scope *scope, void *arg)
{
    for (int id = 0; id < CHILDREN; id++)
        must(go_scope_spawn(scope, square, &((struct child){id, arg}), sizeof(struct child)) == 0);
    return 0; /* without waiting: the scope does */
}

static void run_scope(void *arg)
{
    const struct family *family = arg;

    must(go_scope_run(start_children, arg, NULL) == 0);
    say("scope left");
    /* "then their results are there" */
    must(ints_are(family->squares, CHILDREN, INTS(0, 1, 4)));
}

static void not_left_before(void)
{
    struct family family = {.gate = {.open = false}};
    go_waitgroup done = {0};

    must(go_waitgroup_go(&done, run_scope, &family, 0) == 0);
    gate_until(&family.gate, CHILDREN);
    must(said_lines() == 0);
    gate_open(&family.gate);
    go_waitgroup_wait(&done);
    /* "the scope is not left before its 3 children have ended" */
    must(said(LINES("child ended", "child ended", "child ended", "scope left")));
}

static void break_or_finish(void *arg)
{
    int id = *(int *)arg;

    if (id == 1)
        go_panic("child %d is broken", id);
    go_yield();
    say("child finished");
}

static int wait_for_panic(go_scope *scope, void *unused)
{
    struct go_scope_panic panic;

    for (int id = 0; id < CHILDREN; id++)
        must(go_scope_spawn(scope, break_or_finish, &id, sizeof id) == 0);
    /* "the panic of a child arrives at the wait, with value and stack" */
    must(go_scope_wait(scope, &panic) == 1);
    must(strcmp(panic.text, "child 1 is broken") == 0 && strstr(panic.stack, "break_or_finish"));
    /* "and its siblings have finished" */
    must(said(LINES("child finished", "child finished")));
    return 0;
}

struct ordered {
    struct gate gates[TASKS + 1];
    int delivered[TASKS], n;
};

struct task {
    int number;
    struct ordered *ordered;
};

/* Each waits for the one behind it: the last is ready first. */
static void take_turns(void *result, void *arg)
{
    const struct task *task = arg;

    gate_pass(&task->ordered->gates[task->number]);
    *(int *)result = task->number;
    say("ready %d", task->number);
    gate_open(&task->ordered->gates[task->number - 1]);
}

static void deliver(const void *result, void *arg)
{
    struct ordered *ordered = arg;

    ordered->delivered[ordered->n++] = *(const int *)result;
}

static int stream_tasks(go_scope *scope, void *arg)
{
    go_stream *stream = go_stream_new(scope, TASKS, sizeof(int), deliver, arg);

    for (int i = 1; i <= TASKS; i++)
        must(go_stream_go(stream, take_turns, &((struct task){i, arg}), sizeof(struct task), GO_FOREVER) ==
             0);
    gate_open(&((struct ordered *)arg)->gates[TASKS]);
    go_stream_unref(stream);
    return 0;
}

static void scope(void)
{
    struct ordered ordered = {.n = 0};

    not_left_before();
    say_nothing_yet();
    must(go_scope_run(wait_for_panic, NULL, NULL) == 0);
    say_nothing_yet();
    must(go_scope_run(stream_tasks, &ordered, NULL) == 0);
    must(said_first("ready 20") && said_last("ready 1"));
    /* "20 results are delivered in order, 1 to 20, though the last was ready first" */
    must(ordered.n == TASKS);
    for (int i = 0; i < TASKS; i++)
        must(ordered.delivered[i] == i + 1);
}

GUIDE_ROW(G54, scope);
