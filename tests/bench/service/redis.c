/* Redis lists, commands in pipelines of BATCH. WHERE: unix:PATH. */
#include "bench.h"

#include <stdio.h>
#include <time.h>

enum { LENGTH_MAX = 64 * BATCH };

static struct input in;
static char *command, *pop;
static size_t command_bytes, pop_bytes;

static void connect_redis(const char *where)
{
    input_begin(&in, stream_connect(where));
}

/* An array of bulk strings. */
static char *build(size_t *size, const char *verb, const char *key, const char *argument,
                   size_t argument_bytes)
{
    char *text = calloc(1, 256 + argument_bytes);
    int n = sprintf(text, "*3\r\n$%zu\r\n%s\r\n$%zu\r\n%s\r\n$%zu\r\n", strlen(verb), verb, strlen(key), key,
                    argument_bytes);

    memcpy(text + n, argument, argument_bytes);
    memcpy(text + n + argument_bytes, "\r\n", 2);
    *size = (size_t)n + argument_bytes + 2;
    return text;
}

static char *repeat(const char *text, size_t size, int n)
{
    char *all = malloc(size * (size_t)n);

    for (int i = 0; i < n; i++)
        memcpy(all + size * (size_t)i, text, size);
    return all;
}

/* The answer to LPUSH: how long the list is. */
static long take_length(void)
{
    const char *line = input_line(&in);

    if (*line != ':')
        errx(1, "redis: %s", line);
    return atol(line + 1);
}

/* The answer to BRPOP: key and value. */
static void take_value(void)
{
    const char *line = input_line(&in);

    if (*line != '*')
        errx(1, "redis: %s", line);
    for (int i = 0; i < 2; i++) {
        size_t size = strtoull(input_line(&in) + 1, NULL, 10);
        input_bytes(&in, size + 2);
        in.at += size + 2;
    }
}

static void produce(const char *where, size_t bytes)
{
    const struct timespec pause = {0, 1000000};
    char *body = calloc(1, bytes + 1);
    long length = 0;

    connect_redis(where);
    command = build(&command_bytes, "LPUSH", run_name("stream"), body, bytes);
    char *all = repeat(command, command_bytes, BATCH);
    ready();
    for (;;) {
        if (length > LENGTH_MAX)
            nanosleep(&pause, NULL);
        write_all(in.fd, all, command_bytes * BATCH);
        for (int i = 0; i < BATCH; i++)
            length = take_length();
    }
}

static void consume(const char *where, size_t bytes)
{
    connect_redis(where);
    pop = build(&pop_bytes, "BRPOP", run_name("stream"), "0", 1);
    char *all = repeat(pop, pop_bytes, BATCH);
    ready();
    for (;;) {
        write_all(in.fd, all, pop_bytes * BATCH);
        for (int i = 0; i < BATCH; i++) {
            take_value();
            ++*received;
        }
    }
}

/* One write pushes a value and waits for the next one. */
static void push_and_pop(const char *where, size_t bytes, const char *to, const char *from)
{
    char *body = calloc(1, bytes + 1);

    connect_redis(where);
    command = build(&command_bytes, "LPUSH", to, body, bytes);
    pop = build(&pop_bytes, "BRPOP", from, "0", 1);
    command = realloc(command, command_bytes + pop_bytes);
    memcpy(command + command_bytes, pop, pop_bytes);
    command_bytes += pop_bytes;
}

static void echo(const char *where, size_t bytes)
{
    push_and_pop(where, bytes, run_name("back"), run_name("there"));
    write_all(in.fd, pop, pop_bytes);
    ready();
    for (;;) {
        take_value();
        write_all(in.fd, command, command_bytes);
        take_length();
    }
}

static void begin(const char *where, size_t bytes)
{
    push_and_pop(where, bytes, run_name("there"), run_name("back"));
}

static void ask(void)
{
    write_all(in.fd, command, command_bytes);
    take_length();
    take_value();
}

const struct peer redis = {
    .name = "redis", .produce = produce, .consume = consume, .echo = echo, .begin = begin, .ask = ask};
