/* gearmand: a foreground job that gives back its argument. WHERE: a port of this machine. */
#include "bench.h"

#include <arpa/inet.h>

enum {
    CAN_DO = 1,
    PRE_SLEEP = 4,
    NOOP = 6,
    SUBMIT = 7,
    CREATED = 8,
    GRAB = 9,
    NO_JOB = 10,
    ASSIGN = 11,
    COMPLETE = 13
};

static struct input in;
static char *request;
static size_t request_bytes;

struct header {
    char magic[4];
    uint32_t kind, bytes; /* big endian */
};

static size_t put_header(char *at, int kind, size_t bytes)
{
    struct header header = {"\0REQ", htonl((uint32_t)kind), htonl((uint32_t)bytes)};

    memcpy(at, &header, sizeof header);
    return sizeof header;
}

static void say(int kind, const void *data, size_t bytes)
{
    char packet[sizeof(struct header) + 64];

    size_t n = put_header(packet, kind, bytes);
    memcpy(packet + n, data, bytes);
    write_all(in.fd, packet, n + bytes);
}

/* The kind of the next packet, with its data, which lives until the next. */
static int hear(const char **data, size_t *bytes)
{
    struct header header;

    memcpy(&header, input_bytes(&in, sizeof header), sizeof header);
    in.at += sizeof header;
    *bytes = ntohl(header.bytes);
    *data = input_bytes(&in, *bytes);
    in.at += *bytes;
    return (int)ntohl(header.kind);
}

/* Handle and argument go back as they are, but for the name of the function between them. */
static void complete(const char *data, size_t bytes)
{
    size_t handle = strlen(data) + 1, function = strlen(data + handle) + 1, rest = bytes - handle - function;
    char *packet = malloc(sizeof(struct header) + bytes);
    size_t n = put_header(packet, COMPLETE, handle + rest);

    memcpy(packet + n, data, handle);
    memcpy(packet + n + handle, data + handle + function, rest);
    write_all(in.fd, packet, n + handle + rest);
    free(packet);
    say(GRAB, "", 0);
}

static void echo(const char *where, size_t bytes)
{
    const char *data;
    size_t size;

    input_begin(&in, stream_connect(where));
    say(CAN_DO, "echo", 4);
    say(GRAB, "", 0);
    ready();
    for (;;)
        switch (hear(&data, &size)) {
        case ASSIGN:
            complete(data, size);
            break;
        case NO_JOB:
            say(PRE_SLEEP, "", 0);
            break;
        case NOOP:
            say(GRAB, "", 0);
            break;
        }
}

static void begin(const char *where, size_t bytes)
{
    static const char names[] = "echo\0"; /* function, no unique name */

    input_begin(&in, stream_connect(where));
    request = calloc(1, sizeof(struct header) + sizeof names + bytes);
    size_t n = put_header(request, SUBMIT, sizeof names + bytes);
    memcpy(request + n, names, sizeof names);
    request_bytes = n + sizeof names + bytes;
}

static void ask(void)
{
    const char *data;
    size_t size;

    write_all(in.fd, request, request_bytes);
    while (hear(&data, &size) != COMPLETE)
        ;
}

const struct peer gearman = {.name = "gearman", .echo = echo, .begin = begin, .ask = ask};
