/* The text protocol of NATS, on one connection of this process. WHERE: a port of this machine. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum { NATS_REPLY_BYTES = 256 };

struct nats_message {
    char reply[NATS_REPLY_BYTES]; /* whom to answer; empty: nobody */
    const char *body;             /* of the message: lives until the next one is taken */
    size_t bytes;
};

void nats_connect(const char *where);
void nats_say(const char *text);
/* What was built with nats_publish. */
void nats_write(const char *text, size_t bytes);
/* Everything said so far has been taken. Messages that come meanwhile are lost: for before they may. */
void nats_sync(void);

/* At most so many bytes are built for a message. `reply` is "", or a subject. */
static inline size_t nats_publish_bytes(size_t bytes)
{
    return 2 * NATS_REPLY_BYTES + 64 + bytes;
}

/* Builds what publishes a message; its size. */
size_t nats_publish(char *at, const char *subject, const char *reply, const void *body, size_t bytes);

/* Waits for the next message. What a server asks besides, for a sign of life or for flow control, is answered. */
void nats_take(struct nats_message *message);
/* Whether all that came has been taken, so that nats_take would wait. */
bool nats_waits(void);
/* The same as nats_take, of subjects whose messages want no answer: where the body begins. */
const char *nats_take_body(size_t *bytes);
