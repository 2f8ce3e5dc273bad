/*
 * G142 A server shuts down, but one of its workers does not look at the context. After five seconds, or at a second signal,
 * it ends all the same: with an error, and with the name and the stack of who did not.
 *
 * Pattern: graceful shutdown with a timeout. Who gives up must not end as if all were well.
 */
#include "goroutine_host.h"
#include "guide.h"

enum { WORKERS = 3, LIMIT_MS = 5000, STACK_BYTES = 4096 };

struct server {
    go_ctx *ctx;
    go_waitgroup workers;
    go_chan *signals, *done;
    bool one_ignores_it;
};

static void look_at_context(void *arg)
{
    struct server *server = arg;

    must(go_ctx_wait(server->ctx, GO_FOREVER) == 0);
    say("worker shutting down");
}

/* Wrong. */
static void ignore_context(void *arg)
{
    go_chan *nothing_comes = NULL;

    go_set_name("stuck worker");
    go_chan_recv(nothing_comes, NULL, GO_FOREVER);
    say("never");
}

static int find_stuck(const struct go_info *info, void *stack)
{
    if (strcmp(info->name, "stuck worker") == 0)
        go_info_format(info, stack, STACK_BYTES);
    return 0;
}

static void close_when_all_ended(void *arg)
{
    struct server *server = arg;

    go_waitgroup_wait(&server->workers);
    go_chan_close(server->done);
}

/* Until all workers have ended; -ETIMEDOUT: some have not after LIMIT_MS, -EINTR: nor when a second signal came. */
static int shut_down(struct server *server)
{
    struct go_case cases[] = {GO_RECV(server->done, NULL), GO_RECV(server->signals, NULL)};

    go_ctx_cancel(server->ctx, 0, NULL);
    must(go_spawn(close_when_all_ended, server, 0) == 0);
    switch (go_select(cases, 2, go_after_ms(LIMIT_MS))) {
    case 0:
        return 0;
    case 1:
        return -EINTR;
    default:
        return -ETIMEDOUT;
    }
}

static void serve(void *arg)
{
    struct server *server = arg;
    char stack[STACK_BYTES] = "";
    int r;

    for (int i = 0; i < WORKERS; i++)
        must(go_waitgroup_go(&server->workers,
                             i == 0 && server->one_ignores_it ? ignore_context : look_at_context, server,
                             0) == 0);
    go_bubble_wait();
    must(go_chan_recv(server->signals, NULL, GO_FOREVER) == 1);
    r = shut_down(server);
    if (r == 0) {
        say("Server stopped at %d ms", (int)fake_ms());
        return;
    }
    say("%s at %d ms", r == -EINTR ? "second signal" : "limit", (int)fake_ms());
    go_each(go_group_current(), find_stuck, stack);
    say("%s", stack); /* not in find_stuck, which must not wait */
    go_panic("Shutdown timeout, forcing exit");
}

struct scene {
    int signals;
    bool one_ignores_it;
};

static void play(void *arg)
{
    const struct scene *scene = arg;
    static struct server server; /* who is stuck still uses it when this function is left by a panic */

    server = (struct server){.ctx = go_ctx_new(go_ctx_background()),
                             .signals = go_chan_new(0, 2),
                             .done = go_chan_new(0, 0),
                             .one_ignores_it = scene->one_ignores_it};

    for (int i = 0; i < scene->signals; i++)
        must(go_chan_send(server.signals, NULL, GO_FOREVER) == 0);
    serve(&server);
    go_chan_unref(server.signals);
    go_chan_unref(server.done);
    go_ctx_unref(server.ctx);
}

static void shutdown_timeout(void)
{
    on_fake_clock(play, &(struct scene){1, false});
    /* "when all look at the context the server stops at once" */
    must(said_times("worker shutting down") == WORKERS && said_last("Server stopped at 0 ms"));
}

static void one_stuck(void)
{
    on_fake_clock(play, &(struct scene){1, true});
}

static void second_signal(void)
{
    on_fake_clock(play, &(struct scene){2, true});
}

GUIDE_ROW(G142, shutdown_timeout);
/* "one ignores it: "Shutdown timeout, forcing exit" at 5 s, and the exit status is not 0",
 * "the stuck goroutine is named with its stack" */
GUIDE_PART(G142, one_stuck, .ends = ENDS_IN_PANIC, .says = {"Shutdown timeout, forcing exit"},
           .prints = {"limit at 5000 ms", "stuck worker", "ignore_context+"}, .drops_goroutines = true);
/* "a second signal forces the exit at once" */
GUIDE_PART(G142, second_signal, .ends = ENDS_IN_PANIC, .says = {"Shutdown timeout, forcing exit"},
           .prints = {"second signal at 0 ms", "stuck worker"}, .drops_goroutines = true);
