/* NATS: publish to subscribe, request and reply, without acknowledgements. WHERE: a port of this machine. */
#include "bench.h"
#include "nats_text.h"

static char *publish;
static size_t publish_bytes;

static void build(const char *subject, const char *reply, size_t bytes)
{
    char *body = calloc(1, bytes + 1);

    publish = malloc(nats_publish_bytes(bytes));
    publish_bytes = nats_publish(publish, subject, reply, body, bytes);
    free(body);
}

static void produce(const char *where, size_t bytes)
{
    enum { AT_ONCE = 256 };
    uint64_t sent = 0;

    nats_connect(where);
    build("stream", "", bytes);
    char *all = malloc(publish_bytes * AT_ONCE);
    for (size_t i = 0; i < AT_ONCE; i++)
        memcpy(all + i * publish_bytes, publish, publish_bytes);
    nats_sync();
    ready();
    for (;; sent += AT_ONCE) {
        keep_pace(sent); /* a subscriber that is slow is cut off */
        nats_write(all, publish_bytes * AT_ONCE);
    }
}

static void consume(const char *where, size_t bytes)
{
    nats_connect(where);
    nats_say("SUB stream 1\r\n");
    nats_sync();
    ready();
    for (;;) {
        nats_take_body(&bytes);
        ++*received;
    }
}

static void echo(const char *where, size_t bytes)
{
    nats_connect(where);
    nats_say("SUB there 1\r\n");
    build("back", "", bytes);
    nats_sync();
    ready();
    for (;;) {
        nats_take_body(&bytes);
        nats_write(publish, publish_bytes);
    }
}

static void begin(const char *where, size_t bytes)
{
    nats_connect(where);
    nats_say("SUB back 1\r\n");
    build("there", "back", bytes);
    nats_sync();
}

static void ask(void)
{
    size_t bytes;

    nats_write(publish, publish_bytes);
    nats_take_body(&bytes);
}

const struct peer nats = {
    .name = "nats", .produce = produce, .consume = consume, .echo = echo, .begin = begin, .ask = ask};
