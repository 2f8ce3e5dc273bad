/* NATS: publish to subscribe, request and reply, without acknowledgements. WHERE: a port of this machine. */
#include "bench.h"

#include <stdio.h>

static struct input in;
static char *publish;
static size_t publish_bytes;

static void say(const char *text)
{
    write_all(in.fd, text, strlen(text));
}

static void connect_nats(const char *where)
{
    input_begin(&in, stream_connect(where));
    input_line(&in); /* INFO */
    say("CONNECT {\"verbose\":false,\"pedantic\":false}\r\n");
}

/* Everything said so far has been taken. */
static void sync_nats(void)
{
    say("PING\r\n");
    while (strcmp(input_line(&in), "PONG"))
        ;
}

static void build(const char *subject, const char *reply, size_t bytes)
{
    publish = calloc(1, 128 + bytes);
    int n = sprintf(publish, "PUB %s %s%zu\r\n", subject, reply, bytes);
    memcpy(publish + n + bytes, "\r\n", 2);
    publish_bytes = (size_t)n + bytes + 2;
}

/* The next MSG; its last word is the size of what follows. */
static void take_message(void)
{
    const char *line;

    while (strncmp(line = input_line(&in), "MSG ", 4))
        if (!strcmp(line, "PING"))
            say("PONG\r\n");
        else if (*line == '-')
            errx(1, "nats: %s", line);
    size_t size = strtoull(strrchr(line, ' '), NULL, 10);
    input_bytes(&in, size + 2);
    in.at += size + 2;
}

static void produce(const char *where, size_t bytes)
{
    enum { AT_ONCE = 256 };
    uint64_t sent = 0;

    connect_nats(where);
    build("stream", "", bytes);
    char *all = malloc(publish_bytes * AT_ONCE);
    for (size_t i = 0; i < AT_ONCE; i++)
        memcpy(all + i * publish_bytes, publish, publish_bytes);
    sync_nats();
    ready();
    for (;; sent += AT_ONCE) {
        keep_pace(sent); /* a subscriber that is slow is cut off */
        write_all(in.fd, all, publish_bytes * AT_ONCE);
    }
}

static void consume(const char *where, size_t bytes)
{
    connect_nats(where);
    say("SUB stream 1\r\n");
    sync_nats();
    ready();
    for (;;) {
        take_message();
        ++*received;
    }
}

static void echo(const char *where, size_t bytes)
{
    connect_nats(where);
    say("SUB there 1\r\n");
    build("back", "", bytes);
    sync_nats();
    ready();
    for (;;) {
        take_message();
        write_all(in.fd, publish, publish_bytes);
    }
}

static void begin(const char *where, size_t bytes)
{
    connect_nats(where);
    say("SUB back 1\r\n");
    build("there", "back ", bytes);
    sync_nats();
}

static void ask(void)
{
    write_all(in.fd, publish, publish_bytes);
    take_message();
}

const struct peer nats = {
    .name = "nats", .produce = produce, .consume = consume, .echo = echo, .begin = begin, .ask = ask};
