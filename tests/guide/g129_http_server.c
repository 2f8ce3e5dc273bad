/*
 * G129 HTTP server: a goroutine for each connection, handlers by path, and a stop that waits for what runs.
 *
 * Pattern: server with graceful stop.
 */
#include "guide.h"
#include "http/local.h"

enum { REQUESTS = 100 };

static void serve_hello(void *unused, const struct http_request *request, struct http_response *response)
{
    http_reply(response, 200, "Hello, World!");
}

static void serve_slow(void *gate, const struct http_request *request, struct http_response *response)
{
    gate_pass(gate);
    http_reply(response, 200, "Slow operation completed!");
}

struct getter {
    int port;
    const char *path, *text;
    atomic_int *good;
};

static void get_one(void *arg)
{
    const struct getter *me = arg;

    if (got_is(local_get(me->port, me->path), 200, me->text))
        atomic_fetch_add(me->good, 1);
}

static void get_in_parallel(int port)
{
    atomic_int good = 0;
    struct getter getter = {port, "/", "Hello, World!", &good};
    go_waitgroup getters = {0};

    for (int i = 0; i < REQUESTS; i++)
        must(go_waitgroup_go(&getters, get_one, &getter, sizeof getter) == 0);
    go_waitgroup_wait(&getters);
    /* "100 parallel requests: 100 x 200" */
    must(atomic_load(&good) == REQUESTS);
}

struct stopper {
    struct http_server *server;
    atomic_bool stopped;
};

static void stop(void *arg)
{
    struct stopper *me = arg;

    http_server_stop(me->server);
    atomic_store(&me->stopped, true);
}

static void http_server(void)
{
    struct gate gate = {0};
    struct http_server *server = http_server_new();
    struct stopper stopper = {.server = server};
    atomic_int good = 0;
    struct getter slow = {0, "/slow", "Slow operation completed!", &good};

    must(http_server_route(server, "/", (struct http_handler){serve_hello, NULL}) == 0);
    must(http_server_route(server, "/slow", (struct http_handler){serve_slow, &gate}) == 0);
    must(http_server_start(server, "127.0.0.1", "0") == 0);
    slow.port = http_server_port(server);

    must(go_spawn(get_one, &slow, sizeof slow) == 0);
    gate_until(&gate, 1);
    /* ""Hello, World!" is answered while /slow is held" */
    must(got_is(local_get(slow.port, "/"), 200, "Hello, World!"));
    /* "an unknown path is 404" */
    must(local_get(slow.port, "/unknown").status == 404);
    get_in_parallel(slow.port);

    must(go_spawn(stop, &stopper, 0) == 0);
    while (local_get(slow.port, "/").status != -ECONNREFUSED)
        go_yield();
    /* "on stop running requests finish" */
    must(!atomic_load(&stopper.stopped) && atomic_load(&good) == 0);
    gate_open(&gate);
    until_live(1);
    /* "/slow: "Slow operation completed!"" */
    must(atomic_load(&stopper.stopped) && atomic_load(&good) == 1);
    http_server_delete(server);
}

GUIDE_ROW(G129, http_server);

static void port_in_use(void)
{
    struct http_server *server = local_start("/", (struct http_handler){serve_hello, NULL});
    struct http_server *second = http_server_new();
    char port[16];
    int r;

    snprintf(port, sizeof port, "%d", http_server_port(server));
    r = http_server_start(second, "127.0.0.1", port);
    local_stop(server);
    http_server_delete(second);
    /* "a port in use is an error, and the exit status is not 0" */
    go_panic("cannot serve: %s", strerror(-r));
}

GUIDE_PART(G129, port_in_use, .ends = ENDS_IN_PANIC, .says = {"cannot serve: Address already in use"});
