/* Redis: PUBLISH in pipelines of BATCH, and SUBSCRIBE. WHERE: unix:PATH. */
#include "topics.h"

#include <stdio.h>

#include "stream.h"

static struct input in;

static void connect_redis(const char *where)
{
    input_begin(&in, stream_connect(where));
}

/* A command of three strings, the last of MESSAGE_BYTES; its size. */
static size_t build(char *at, const char *channel, const void *message)
{
    size_t n = (size_t)sprintf(at, "*3\r\n$7\r\nPUBLISH\r\n$%zu\r\n%s\r\n$%d\r\n", strlen(channel), channel,
                               MESSAGE_BYTES);

    memcpy(at + n, message, MESSAGE_BYTES);
    memcpy(at + n + MESSAGE_BYTES, "\r\n", 2);
    return n + MESSAGE_BYTES + 2;
}

/* The number in the next line, which begins with `kind`. */
static size_t read_number(char kind)
{
    const char *line = input_line(&in);

    if (*line != kind)
        errx(1, "redis: %s", line);
    return strtoull(line + 1, NULL, 10);
}

static const char *read_string(void)
{
    size_t bytes = read_number('$');
    const char *at = input_bytes(&in, bytes + 2);

    in.at += bytes + 2;
    return at;
}

/* "message", the channel, and what was published. */
static const char *take_message(void)
{
    read_number('*');
    read_string();
    read_string();
    return read_string();
}

static void publish(const char *where, size_t number)
{
    char *all = malloc(BATCH * (size_t)(128 + MESSAGE_BYTES));
    size_t bytes = 0;

    connect_redis(where);
    for (int i = 0; i < BATCH; i++)
        bytes += build(all + bytes, run_name("live"), body);
    ready();
    for (uint64_t sent = 0;; sent += BATCH) {
        keep_pace(sent); /* a subscriber that is slow is cut off */
        write_all(in.fd, all, bytes);
        for (int i = 0; i < BATCH; i++)
            read_number(':');
    }
}

static void listen_to(const char *where, const char *channel)
{
    char text[128];

    connect_redis(where);
    write_all(in.fd, text, (size_t)snprintf(text, sizeof text, "SUBSCRIBE %s\r\n", channel));
    read_number('*');
    read_string();
    read_string();
    read_number(':');
    ready();
}

static void subscribe(const char *where, size_t number)
{
    listen_to(where, run_name("live"));
    for (;;) {
        take_message();
        arrived(number, 1);
    }
}

static void hear(const char *where, size_t number)
{
    listen_to(where, run_name("tell"));
    for (;;)
        had(take_message());
}

static void tell(const void *message)
{
    char text[128 + MESSAGE_BYTES];

    write_all(in.fd, text, build(text, run_name("tell"), message));
    read_number(':');
}

static void idle(const char *where, size_t many)
{
    char text[64];

    connect_redis(where);
    for (size_t i = 0; i < many; i++) {
        write_all(in.fd, text, (size_t)snprintf(text, sizeof text, "SUBSCRIBE idle.%zu\r\n", i));
        read_number('*');
        read_string();
        read_string();
        read_number(':');
    }
}

const struct peer redis = {.name = "redis",
                           .publish = publish,
                           .subscribe = subscribe,
                           .hear = hear,
                           .connect = connect_redis,
                           .tell = tell,
                           .idle = idle};
