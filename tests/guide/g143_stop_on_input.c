/*
 * G143 Five workers run until a line is typed, or the input ends; then they are cancelled, and waited for.
 *
 * Pattern: stop all, by a context. A pipe stands for the standard input here.
 */
#include <unistd.h>

#include "goroutine_net.h"
#include "guide.h"

enum { WORKERS = 5 };

struct workers {
    go_ctx *ctx;
    go_waitgroup all;
    atomic_int working;
};

struct worker {
    int id;
    struct workers *workers;
};

static void work(void *arg)
{
    const struct worker *me = arg;

    atomic_fetch_add(&me->workers->working, 1);
    while (go_ctx_err(me->workers->ctx) == 0)
        go_yield(); /* the work */
    say("Worker %d cancelled!", me->id);
}

/* 1: a line; 0: the end of the input. */
static int wait_for_line(go_fd input)
{
    char byte = '\0';
    ssize_t n;

    while ((n = go_read(input, &byte, 1, GO_FOREVER)) == 1 && byte != '\n')
        ;
    return (int)n;
}

static int work_until_input(go_fd input, struct workers *workers)
{
    int r;

    for (int id = 1; id <= WORKERS; id++)
        must(go_waitgroup_go(&workers->all, work, &((struct worker){id, workers}), sizeof(struct worker)) ==
             0);
    r = wait_for_line(input);
    go_ctx_cancel(workers->ctx, 0, NULL);
    go_waitgroup_wait(&workers->all);
    say("All workers finished!");
    return r;
}

struct typist {
    int to;
    const char *text;
    struct workers *workers;
};

/* Types when all workers are at work. */
static void type(void *arg)
{
    const struct typist *me = arg;
    size_t bytes = strlen(me->text);

    while (atomic_load(&me->workers->working) < WORKERS)
        go_yield();
    must(said_lines() == 0);
    must(write(me->to, me->text, bytes) == (ssize_t)bytes && close(me->to) == 0);
}

/* What wait_for_line said. */
static int run_with_input(const char *text)
{
    struct workers workers = {.ctx = go_ctx_new(go_ctx_background())};
    int ends[2], r;
    go_fd input;

    must(pipe(ends) == 0);
    input = go_fd_open(ends[0]);
    must(go_spawn(type, &((struct typist){ends[1], text, &workers}), sizeof(struct typist)) == 0);
    r = work_until_input(input, &workers);
    until_live(1);
    go_fd_close(input);
    go_ctx_unref(workers.ctx);
    return r;
}

static void lines_are_right(void)
{
    /* "5 lines "cancelled!", one of each worker", ""All workers finished!" last" */
    must(said_in_any_order(LINES("Worker 1 cancelled!", "Worker 2 cancelled!", "Worker 3 cancelled!",
                                 "Worker 4 cancelled!", "Worker 5 cancelled!", "All workers finished!")));
    must(said_last("All workers finished!"));
    say_nothing_yet();
}

static void stop_on_input(void)
{
    must(run_with_input("stop\n") == 1);
    lines_are_right();
    /* "the end of the input counts as the line" */
    must(run_with_input("") == 0);
    lines_are_right();
}

GUIDE_ROW(G143, stop_on_input);
