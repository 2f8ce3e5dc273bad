/*
 * The local lane: frames over the stream of a lifeline, in the form of lane.h.
 *
 * A stream is the descriptor of a lifeline with what is under way on it. It becomes a connection of the hub with its
 * first frame, and again with the next one after the hub has forgotten it; the credentials are those of the lifeline.
 * Who never writes a frame has no connection here.
 */
#pragma once

#include "hub.h"
#include "poller.h"
#include "transport.h"

struct stream {
    struct conn conn; /* of the hub, while `open` */
    bool open;
    bool gap; /* a frame was dropped: the client is to hear so when there is room */
    struct hub *hub;
    struct source source;
    struct credentials who;
    struct list readable; /* of those to be read */
    char *in;             /* read and not taken: from in_at to in_n */
    size_t in_at, in_n, in_room;
    struct list out; /* struct frame: what the descriptor did not take */
    size_t out_bytes;
    /* The stream is over: `error` 0 when the other side has ended it, else what it did wrong, with words. Closes it. */
    void (*ended)(struct stream *stream, int error, const char *text);
};

/* Takes `fd`, non-blocking, unless it fails: -ENOMEM, -ENOSPC. */
int stream_open(struct stream *stream, struct hub *hub, int fd, struct credentials who,
                void (*ended)(struct stream *stream, int error, const char *text));
/* Ends its connection and closes the descriptor. */
void stream_close(struct stream *stream);
/* Writes something that is no frame; not in the middle of one: then it is left out. */
void stream_say(struct stream *stream, const void *data, size_t size);

extern const struct transport_ops transport_local;
