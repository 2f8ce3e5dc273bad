/* Redis: a list that nobody takes from, or one as a channel. How durable is a matter of its appendfsync. WHERE: unix:PATH. */
#include "durable.h"

#include <stdio.h>

#include "stream.h"

static struct input in;

static void connect_redis(const char *where)
{
    input_begin(&in, stream_connect(where));
}

static void put(void)
{
    char text[64 + ARGUMENT_BYTES];
    int n = snprintf(text, sizeof text, "*3\r\n$5\r\nRPUSH\r\n$4\r\njobs\r\n$%d\r\n%s\r\n", ARGUMENT_BYTES,
                     argument);

    write_all(in.fd, text, (size_t)n);
    const char *line = input_line(&in);
    if (*line != ':')
        errx(1, "redis: %s", line);
}

/* ---- a channel ---- */

static void send_values(const char *where, size_t many)
{
    char text[64 + WINDOW * (ARGUMENT_BYTES + 16)];
    int n = snprintf(text, sizeof text, "*%zu\r\n$5\r\nRPUSH\r\n$7\r\nchannel\r\n", many + 2);

    if (many > WINDOW)
        errx(2, "at most %d values at once", WINDOW);
    for (size_t i = 0; i < many; i++)
        n += snprintf(text + n, sizeof text - (size_t)n, "$%d\r\n%s\r\n", ARGUMENT_BYTES, argument);
    connect_redis(where);
    ready();
    for (;;) {
        keep_pace(many);
        write_all(in.fd, text, (size_t)n);
        const char *line = input_line(&in);
        if (*line != ':')
            errx(1, "redis: %s", line);
        count(&tally->accepted, many);
    }
}

/* The number in the next line, which begins with `kind`. */
static size_t read_number(char kind)
{
    const char *line = input_line(&in);

    if (*line != kind)
        errx(1, "redis: %s", line);
    return strtoull(line + 1, NULL, 10);
}

/* A string is a line with its length, and one with its bytes. */
static void pass_string(void)
{
    read_number('$');
    input_line(&in);
}

static void receive_values(const char *where, size_t number)
{
    char text[128];
    int n = snprintf(text, sizeof text, "BLMPOP 0 1 channel LEFT COUNT %d\r\n", WINDOW);

    connect_redis(where);
    ready();
    for (;;) {
        write_all(in.fd, text, (size_t)n);
        read_number('*'); /* the name of the list, and what it had */
        pass_string();
        size_t many = read_number('*');
        for (size_t i = 0; i < many; i++)
            pass_string();
        count(&tally->ended, many);
    }
}

const struct peer redis = {
    .name = "redis", .connect = connect_redis, .put = put, .send = send_values, .receive = receive_values};
