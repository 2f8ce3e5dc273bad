/* gearmand: a foreground job that gives back its argument. WHERE: a port of this machine. */
#include "bench.h"
#include "gearman_packets.h"

static char *request;
static size_t request_bytes;

/* Handle and argument go back as they are, but for the name of the function between them. */
static void complete(const char *data, size_t bytes)
{
    size_t handle = strlen(data) + 1, function = strlen(data + handle) + 1, rest = bytes - handle - function;
    char *packet = malloc(sizeof(struct gearman_header) + bytes);
    size_t n = gearman_header(packet, GEARMAN_COMPLETE, handle + rest);

    memcpy(packet + n, data, handle);
    memcpy(packet + n + handle, data + handle + function, rest);
    gearman_write(packet, n + handle + rest);
    free(packet);
    gearman_say(GEARMAN_GRAB, "", 0);
}

static void echo(const char *where, size_t bytes)
{
    const char *data;
    size_t size;

    gearman_connect(where);
    gearman_say(GEARMAN_CAN_DO, "echo", 4);
    gearman_say(GEARMAN_GRAB, "", 0);
    ready();
    for (;;) {
        data = gearman_take(&size);
        complete(data, size);
    }
}

static void begin(const char *where, size_t bytes)
{
    static const char names[] = "echo\0"; /* function, no unique name */

    gearman_connect(where);
    request = calloc(1, sizeof(struct gearman_header) + sizeof names + bytes);
    size_t n = gearman_header(request, GEARMAN_SUBMIT, sizeof names + bytes);
    memcpy(request + n, names, sizeof names);
    request_bytes = n + sizeof names + bytes;
}

static void ask(void)
{
    const char *data;
    size_t size;

    gearman_write(request, request_bytes);
    while (gearman_hear(&data, &size) != GEARMAN_COMPLETE)
        ;
}

const struct peer gearman = {.name = "gearman", .echo = echo, .begin = begin, .ask = ask};
