/* NATS core: PUB and SUB, without acknowledgements. WHERE: a port of this machine. */
#include "topics.h"

#include <stdio.h>

#include "nats_text.h"

static void publish(const char *where, size_t number)
{
    char *all = malloc(BATCH * nats_publish_bytes(MESSAGE_BYTES));
    size_t bytes = 0;

    nats_connect(where);
    for (int i = 0; i < BATCH; i++)
        bytes += nats_publish(all + bytes, run_name("live"), "", body, MESSAGE_BYTES);
    nats_sync();
    ready();
    for (uint64_t sent = 0;; sent += BATCH) {
        keep_pace(sent); /* a subscriber that is slow is cut off */
        nats_write(all, bytes);
    }
}

static void listen_to(const char *where, const char *subject)
{
    char text[128];

    nats_connect(where);
    snprintf(text, sizeof text, "SUB %s 1\r\n", subject);
    nats_say(text);
    nats_sync();
    ready();
}

static void subscribe(const char *where, size_t number)
{
    size_t bytes;

    listen_to(where, run_name("live"));
    for (;;) {
        nats_take_body(&bytes);
        arrived(number, 1);
    }
}

static void hear(const char *where, size_t number)
{
    size_t bytes;

    listen_to(where, run_name("tell"));
    for (;;)
        had(nats_take_body(&bytes));
}

static void connect_nats(const char *where)
{
    nats_connect(where);
    nats_sync();
}

static void tell(const void *message)
{
    char text[1024];

    nats_write(text, nats_publish(text, run_name("tell"), "", message, MESSAGE_BYTES));
}

static void idle(const char *where, size_t many)
{
    char text[64];

    nats_connect(where);
    for (size_t i = 0; i < many; i++) {
        snprintf(text, sizeof text, "SUB idle.%zu %zu\r\n", i, i + 1);
        nats_say(text);
    }
    nats_sync();
}

const struct peer nats = {.name = "nats",
                          .publish = publish,
                          .subscribe = subscribe,
                          .hear = hear,
                          .connect = connect_nats,
                          .tell = tell,
                          .idle = idle};
