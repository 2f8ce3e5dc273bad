/*
 * G131 between processes: a server puts its requests on a named channel, and workers in other processes answer them. A
 * request carries the channel for its answer. One worker dies with a request in its hands.
 *
 * Pattern: server with a worker pool. A worker holds a request until it has answered it, so that it returns if he dies.
 */
#include <signal.h>

#include "goclient_chan.h"
#include "goroutine.h"
#include "http/client.h"
#include "http/server.h"
#include "parts.h"

enum { WORKERS = 3 /* who live */, AT_WORK_MAX = 4, REQUESTS = 50 };

/* ---- the server: a goroutine for each connection ---- */

/* "/7" is answered with what a worker says. */
static void accept_request(void *arg, const struct http_request *http, struct http_response *response)
{
    struct part *me = arg;
    struct gc_passed answer = {.rights = GC_MAY_SEND};
    char text[TEXT_BYTES];

    must(gc_make(me->g, NULL, 1, &answer.chan, GC_FOREVER) == 0);
    must(gc_send(me->g, chan_of(me, "requests"), gc_carrying(gc_string(http->path + 1), &answer, 1),
                 GC_FOREVER) == 0);
    must(recv_text(me, answer.chan, text));
    must(gc_drop(me->g, answer.chan) == 0);
    http_reply(response, 200, "%s", text);
}

static void server(struct part *me)
{
    struct http_server *http = http_server_new();

    must(http_server_route(http, "/*", (struct http_handler){accept_request, me}) == 0);
    must(http_server_start(http, "127.0.0.1", "0") == 0);
    send_number(me, chan_of(me, "port"), http_server_port(http));
    step_wait(me, "asked");
    http_server_stop(http);
    http_server_delete(http);
    close_chan(me, chan_of(me, "requests"));
}

/* ---- the workers ---- */

static int take(struct part *me, struct gc_value *request)
{
    int r = gc_recv(me->g, chan_of(me, "requests"), request, GC_HOLD, GC_FOREVER);

    must(r >= 0);
    if (r > 0)
        say(me, "begin %d", number_of(request));
    return r;
}

static void worker(struct part *me)
{
    struct gc_value request = {0};
    bool first = true;

    step_wait(me, "one_is_taken");
    while (take(me, &request)) {
        int n = number_of(&request);

        if (first) {
            send_number(me, chan_of(me, "at_work"), n);
            step_wait(me, "all_at_work");
        }
        first = false;
        say(me, "end %d", n);
        send_number(me, request.chans[0].chan, n * n);
        must(gc_drop(me->g, request.chans[0].chan) == 0);
        must(gc_ack(me->g, &request) == 0);
        gc_value_clear(&request);
    }
}

/* Dies with a request in its hands, while all others work. */
static void doomed(struct part *me)
{
    struct gc_value request = {0};
    int n;

    must(take(me, &request) == 1);
    say(me, "dies with %d", number_of(&request));
    step_done(me, "one_is_taken");
    for (int i = 0; i < WORKERS; i++)
        must(recv_number(me, chan_of(me, "at_work"), &n));
    step_done(me, "all_at_work");
    must(gc_ping(me->g, GC_FOREVER) == 0); /* what he has received is acknowledged: but the request */
    raise(SIGKILL);
}

/* ---- who asks ---- */

struct asking {
    struct part *me;
    int port, n;
};

static void ask(void *arg)
{
    const struct asking *asking = arg;
    struct part *me = asking->me;
    struct http_answer answer;
    char url[64];

    snprintf(url, sizeof url, "http://127.0.0.1:%d/%d", asking->port, asking->n);
    must(http_get(url, &answer, GO_FOREVER) == 0);
    say(me, "/%d: %d %s", asking->n, answer.status, answer.body);
    http_answer_free(&answer);
}

static void client(struct part *me)
{
    struct asking asking = {.me = me};
    go_waitgroup all = {0};

    must(recv_number(me, chan_of(me, "port"), &asking.port));
    for (asking.n = 1; asking.n <= REQUESTS; asking.n++)
        must(go_waitgroup_go(&all, ask, &asking, sizeof asking) == 0);
    go_waitgroup_wait(&all);
    step_done(me, "asked");
}

/* The lines are in the order in which they were said. */
static void count_at_work(void)
{
    bool at_work[REQUESTS + 1] = {false};
    int now = 0, most = 0, n;

    for (size_t i = 0; i < part_lines.n; i++) {
        bool begins = sscanf(part_lines.line[i], "begin %d", &n) == 1;

        if (!begins && sscanf(part_lines.line[i], "end %d", &n) != 1)
            continue;
        now += begins - at_work[n]; /* that of the dead worker begins twice, and ends once */
        at_work[n] = begins;
        most = now > most ? now : most;
    }
    /* "never more than 4 are at work" */
    must(most == AT_WORK_MAX && now == 0);
}

static void server_with_workers(void)
{
    int begun = 0;

    for (int n = 1; n <= REQUESTS; n++) {
        /* "50 requests for /n are answered with n*n", "each request has one answer" */
        must(said_times("/%d: 200 %d", n, n * n) == 1 && said_times("end %d", n) == 1);
        begun += (int)said_times("begin %d", n);
        /* "killing one worker loses no request" */
        must(said_times("dies with %d", n) == 0 || said_times("begin %d", n) == 2);
    }
    must(begun == REQUESTS + 1);
    count_at_work();
}

GUIDE_PARTS(G131, server_with_workers, .goroutines = true,
            .channels = {{"port"}, {"requests"}, {"one_is_taken"}, {"at_work"}, {"all_at_work"}, {"asked"}},
            .parts = {PART(server), PARTS(WORKERS, worker), PART_WITH(doomed, .dies = true), PART(client)});
