/*
 * From effects to frames: collects the results and replies of a turn per connection, numbers the frames,
 * encodes and hands them on. Pure: the simulator writes its frames with it too.
 *
 * Invariants: a lane is in outbox->ready exactly when it holds effects. Within a lane order is kept. A reply
 * begins a frame; a reply with a welcome begins the count of frames anew.
 * Effects stay the core's: they are moved into lanes and back, and freed by effects_clear.
 */
#pragma once

#include "core.h"
#include "wire.h"

enum {
    OUTBOX_RESULTS = 256, /* in one frame */
    OUTBOX_VALUES = 2048, /* in one frame, unless one result has more */
    OUTBOX_BYTES = 64 << 10,
};

/* What the outbox keeps of a connection: embedded in the shell's record of it. */
struct outbox_lane {
    struct list link; /* of outbox->ready */
    struct list effects;
    uint64_t number; /* of the last frame */
};

/* Takes one frame: `head` are its members, `message` its encoding; both live for the call. Negative: the
 * connection takes no more, the rest of its lane is dropped. */
typedef int outbox_send(void *context, struct outbox_lane *lane, const struct server_frame *head,
                        const struct wire_message *message);

struct outbox {
    struct list ready;
    struct wire *wire; /* borrowed */
    outbox_send *send;
    void *context;
    struct result results[OUTBOX_RESULTS];
};

void outbox_init(struct outbox *outbox, struct wire *wire, outbox_send *send, void *context);
void outbox_lane_init(struct outbox_lane *lane);
/* Before the memory of a lane is freed: gives its effects back to `home`. */
void outbox_lane_clear(struct outbox_lane *lane, struct effects *home);
/* EFFECT_RESULT or EFFECT_REPLY; takes it out of the list it is in. */
void outbox_add(struct outbox *outbox, struct outbox_lane *lane, struct effect *effect);
/* Sends everything and gives the effects back to `home`. */
void outbox_write(struct outbox *outbox, struct effects *home);
/* Sends one frame that no effect asked for. What `send` returned, or -ENOMEM. */
int outbox_say(struct outbox *outbox, struct outbox_lane *lane, struct server_frame head);
