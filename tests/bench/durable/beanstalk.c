/*
 * beanstalkd: put, reserve, delete. How durable is a matter of its options -b and -f. WHERE: a port of this machine.
 * Where one process does one job after the other, WINDOW requests are under way.
 */
#include "durable.h"

#include <stdio.h>

#include "stream.h"

static struct input in;

static void connect_beanstalk(const char *where)
{
    input_begin(&in, stream_connect(where));
}

/* An answer that begins so. */
static const char *expect(const char *word)
{
    const char *line = input_line(&in);

    if (strncmp(line, word, strlen(word)))
        errx(1, "beanstalkd: %s", line);
    return line + strlen(word);
}

/* n requests to put; their size. */
static size_t build(char *text, size_t size, int n)
{
    size_t at = 0;

    for (int i = 0; i < n; i++)
        at += (size_t)snprintf(text + at, size - at, "put 0 0 60 %d\r\n%s\r\n", ARGUMENT_BYTES, argument);
    return at;
}

static void put_many(int n)
{
    static char text[WINDOW * (32 + ARGUMENT_BYTES)];

    write_all(in.fd, text, build(text, sizeof text, n));
    for (int i = 0; i < n; i++)
        expect("INSERTED ");
}

static void put(void)
{
    put_many(1);
}

static void produce(const char *where, size_t number)
{
    connect_beanstalk(where);
    ready();
    for (;;) {
        keep_pace(WINDOW);
        put_many(WINDOW);
    }
}

/* Takes a job that was reserved, and writes the request to delete it. */
static size_t take(char *text, size_t size)
{
    unsigned long long id, bytes;

    if (sscanf(expect("RESERVED "), "%llu %llu", &id, &bytes) != 2)
        errx(1, "beanstalkd: a job without a number");
    input_bytes(&in, bytes + 2);
    in.at += bytes + 2;
    return (size_t)snprintf(text, size, "delete %llu\r\n", id);
}

static void work(const char *where, size_t number)
{
    static const char reserve[] = "reserve\r\n";
    char asks[WINDOW * (sizeof reserve - 1)], ends[WINDOW * 32];

    connect_beanstalk(where);
    for (int i = 0; i < WINDOW; i++)
        memcpy(asks + (size_t)i * (sizeof reserve - 1), reserve, sizeof reserve - 1);
    ready();
    for (;;) {
        size_t n = 0;
        write_all(in.fd, asks, sizeof asks);
        for (int i = 0; i < WINDOW; i++)
            n += take(ends + n, sizeof ends - n);
        write_all(in.fd, ends, n);
        for (int i = 0; i < WINDOW; i++)
            expect("DELETED");
        count(&tally->ended, WINDOW);
    }
}

const struct peer beanstalk = {.name = "beanstalk",
                               .connect = connect_beanstalk,
                               .put = put,
                               .produce = produce,
                               .work = work,
                               .producers = 1,
                               .workers = 1};
