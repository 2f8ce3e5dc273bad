/*
 * G161 Stacks have a fixed room: 64 KiB, or what the one who starts the goroutine asks for. Only what is used of it takes
 * memory. Below it lies a page that nobody may touch: who recurses too deep is told so, and damages nobody.
 *
 * Pattern: choose the stack where the recursion is deep.
 */
#include "guide.h"

enum { FRAME_BYTES = 256, SHALLOW = 100, DEEP = 2000, FAR_TOO_DEEP = 100000 };

/* 1 + 2 + … + n. */
static long sum_to(int n)
{
    volatile char frame[FRAME_BYTES];
    long sum;

    frame[0] = (char)(n & 1);
    sum = n == 0 ? 0 : n + sum_to(n - 1);
    must(frame[0] == (n & 1)); /* so this is no tail call */
    return sum;
}

struct task {
    int depth;
    long result;
};

static void run_task(void *arg)
{
    struct task *task = arg;

    task->result = sum_to(task->depth);
}

static void stacks(void)
{
    struct go_spawn_options large = {.stack_bytes = 4 << 20};
    struct task shallow = {SHALLOW, 0}, deep = {DEEP, 0};

    must(go_spawn(run_task, &shallow, 0) == 0);
    must(go_spawn_with(run_task, &deep, 0, &large) == 0);
    until_live(1);
    say("sum to 100: %ld", shallow.result);
    say("sum to 2000: %ld", deep.result);
    /* "recursion within the stack gives the right result: 5050". "with a larger stack a deeper one, too: 2001000" */
    must(said(LINES("sum to 100: 5050", "sum to 2000: 2001000")));
}

static void beyond(void)
{
    struct task task = {FAR_TOO_DEEP, 0};

    must(go_spawn(run_task, &task, 0) == 0);
    until_live(1);
    say("came back");
}

GUIDE_ROW(G161, stacks);
/* "recursion beyond it ends the program, or the host of the job, with "stack overflow" and the function" */
GUIDE_PART(G161, beyond, .ends = ENDS_IN_FATAL, .says = {"stack overflow", "run_task"},
           .never = {"came back"});
