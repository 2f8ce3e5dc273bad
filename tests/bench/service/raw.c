/* Raw ZeroMQ: DEALERs and a ROUTER that forwards. A message is who it is for, and the value. WHERE: an endpoint. */
#include "bench.h"

#include <zmq.h>

static void *mine; /* the DEALER */
static char *body;
static size_t body_bytes;

static void check(int r, const char *what)
{
    if (r < 0)
        errx(1, "%s: %s", what, zmq_strerror(zmq_errno()));
}

static void connect_as(const char *where, const char *name, size_t bytes)
{
    mine = zmq_socket(zmq_ctx_new(), ZMQ_DEALER);
    check(zmq_setsockopt(mine, ZMQ_ROUTING_ID, name, strlen(name)), "name");
    check(zmq_connect(mine, where), where);
    body = calloc(1, bytes + 1);
    body_bytes = bytes;
}

static void send_to(const char *name, const void *data, size_t size)
{
    check(zmq_send(mine, name, strlen(name), ZMQ_SNDMORE), "send");
    check(zmq_send(mine, data, size, 0), "send");
}

/* Returns when a message to itself came back: the broker knows it. */
static void greet(const char *name)
{
    char byte;

    send_to(name, "", 1);
    check(zmq_recv(mine, &byte, 1, 0), "greeting");
}

static void produce(const char *where, size_t bytes)
{
    connect_as(where, "producer", bytes);
    ready();
    for (;;)
        send_to("consumer", body, body_bytes);
}

static void consume(const char *where, size_t bytes)
{
    connect_as(where, "consumer", bytes);
    greet("consumer");
    ready();
    for (;;) {
        check(zmq_recv(mine, body, body_bytes, 0), "receive");
        ++*received;
    }
}

static void echo(const char *where, size_t bytes)
{
    connect_as(where, "echo", bytes);
    greet("echo");
    ready();
    for (;;) {
        check(zmq_recv(mine, body, body_bytes, 0), "receive");
        send_to("asker", body, body_bytes);
    }
}

static void begin(const char *where, size_t bytes)
{
    connect_as(where, "asker", bytes);
}

static void ask(void)
{
    send_to("echo", body, body_bytes);
    check(zmq_recv(mine, body, body_bytes, 0), "receive");
}

static void serve(const char *where)
{
    void *router = zmq_socket(zmq_ctx_new(), ZMQ_ROUTER);
    int on = 1;
    zmq_msg_t from, to, value;

    check(zmq_setsockopt(router, ZMQ_ROUTER_HANDOVER, &on, sizeof on), "option");
    check(zmq_setsockopt(router, ZMQ_ROUTER_MANDATORY, &on, sizeof on),
          "option"); /* full: wait, do not drop */
    check(zmq_bind(router, where), where);
    zmq_msg_init(&from);
    zmq_msg_init(&to);
    zmq_msg_init(&value);
    for (;;) {
        check(zmq_msg_recv(&from, router, 0), "receive");
        check(zmq_msg_recv(&to, router, 0), "receive");
        check(zmq_msg_recv(&value, router, 0), "receive");
        if (zmq_msg_send(&to, router, ZMQ_SNDMORE) >= 0) /* else nobody is there any more */
            check(zmq_msg_send(&value, router, 0), "send");
    }
}

const struct peer raw = {.name = "raw",
                         .produce = produce,
                         .consume = consume,
                         .echo = echo,
                         .begin = begin,
                         .ask = ask,
                         .serve = serve};
