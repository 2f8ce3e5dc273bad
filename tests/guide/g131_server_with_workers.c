/*
 * G131 A server that puts its requests on a channel, and four workers that answer them: however many connections there are,
 * four requests are at work at a time.
 *
 * Pattern: server with a worker pool. A request carries the channel for its answer.
 */
#include "guide.h"
#include "http/local.h"

enum { WORKERS = 4, REQUESTS = 50 };

struct request {
    int n;
    go_chan *answer; /* of ints; room for 1, so that the worker never waits for the connection */
};

struct service {
    go_chan *requests;
    go_waitgroup workers;
    struct gate gate;
    struct peak at_work;
    atomic_int answers;
};

static void work(void *arg)
{
    struct service *service = arg;
    struct request request;

    while (go_range(service->requests, &request)) {
        int square = request.n * request.n;

        peak_enter(&service->at_work);
        gate_pass(&service->gate);
        peak_leave(&service->at_work);
        atomic_fetch_add(&service->answers, 1);
        must(go_chan_send(request.answer, &square, GO_NOW) == 0);
    }
}

/* In the goroutine of a connection: "/7" is answered with 49. */
static void accept_request(void *arg, const struct http_request *http, struct http_response *response)
{
    struct service *service = arg;
    struct request request = {atoi(http->path + 1), go_chan_new(sizeof(int), 1)};
    int square;

    must(go_chan_send(service->requests, &request, GO_FOREVER) == 0);
    must(go_chan_recv(request.answer, &square, GO_FOREVER) == 1);
    http_reply(response, 200, "%d", square);
    go_chan_unref(request.answer);
}

struct client {
    int port, n;
    atomic_int *good;
};

static void ask(void *arg)
{
    const struct client *me = arg;
    char path[16], square[16];

    snprintf(path, sizeof path, "/%d", me->n);
    snprintf(square, sizeof square, "%d", me->n * me->n);
    if (got_is(local_get(me->port, path), 200, square))
        atomic_fetch_add(me->good, 1);
}

static void ask_all(struct service *service, int port)
{
    go_waitgroup clients = {0};
    atomic_int good = 0;

    for (int n = 1; n <= REQUESTS; n++)
        must(go_waitgroup_go(&clients, ask, &((struct client){port, n, &good}), sizeof(struct client)) == 0);
    gate_until(&service->gate, WORKERS);
    gate_open(&service->gate);
    go_waitgroup_wait(&clients);
    say("%d of %d answers are right", atomic_load(&good), REQUESTS);
}

static void server_with_workers(void)
{
    struct service service = {.requests = go_chan_new(sizeof(struct request), 0)};
    struct http_server *server = local_start("/*", (struct http_handler){accept_request, &service});

    for (int i = 0; i < WORKERS; i++)
        must(go_waitgroup_go(&service.workers, work, &service, 0) == 0);
    ask_all(&service, http_server_port(server));
    /* "50 requests for /n are answered with n*n" */
    must(said(LINES("50 of 50 answers are right")));
    /* "never more than 4 are at work" */
    must(atomic_load(&service.at_work.most) == WORKERS);
    /* "each request has one answer" */
    must(atomic_load(&service.answers) == REQUESTS);
    local_stop(server);
    go_chan_close(service.requests);
    go_waitgroup_wait(&service.workers);
    go_chan_unref(service.requests);
}

GUIDE_ROW(G131, server_with_workers);
