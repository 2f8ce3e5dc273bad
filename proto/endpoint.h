/*
 * Where a daemon listens, and what its lifeline says first.
 *
 * An endpoint is `ipc://PATH` or `tcp://HOST:PORT`. The endpoint nobody has to name is
 *     $GOROUTINED_ENDPOINT, else
 *     ipc://$XDG_RUNTIME_DIR/goroutined/socket, when that variable is set, else
 *     ipc:///run/goroutined/socket
 * An ipc endpoint has a lifeline: an AF_UNIX stream socket at PATH.life. A client connects to it before it
 * speaks ZeroMQ, and reads one struct greeting. The daemon then knows by the socket's credentials who owns
 * that session, and by its end that the owner died; the client knows by its end that the session is over.
 * Whoever ends it in order writes one struct farewell before closing; an end without a farewell is a death.
 * Between greeting and farewell the stream may carry frames (PROTOCOL.md, "The local lane").
 *
 * Both structs are of one machine: native byte order, no padding. They never change their first two members.
 */
#pragma once

#include <assert.h>
#include <stdint.h>

#include "message.h"

#define ENDPOINT_VARIABLE     "GOROUTINED_ENDPOINT"
#define ENDPOINT_DIRECTORY    "XDG_RUNTIME_DIR"
#define ENDPOINT_USER_PATH    "/goroutined/socket" /* below $XDG_RUNTIME_DIR */
#define ENDPOINT_SERVICE_PATH "/run/goroutined/socket"
#define ENDPOINT_IPC          "ipc://"
#define ENDPOINT_TCP          "tcp://"
#define LIFELINE_SUFFIX       ".life"
#define SERVER_KEY_VARIABLE   "GOROUTINED_SERVER_KEY"  /* public key of a daemon behind tcp */
#define SECRET_FILE_VARIABLE  "GOROUTINED_SECRET_FILE" /* keys of a client of tcp (keyfile.h) */
#define LANE_VARIABLE         "GOROUTINED_LANE"
#define LANE_AUTO             "auto" /* frames travel over the lifeline where both sides can */
#define LANE_ZMQ              "zmq"  /* never */

enum {
    GREETING_MAGIC = 0x6c696665, /* "life" */
    FAREWELL_MAGIC = 0x62796521, /* "bye!" */
    FAREWELL_TEXT_BYTES = 240,
};

/* Daemon to client, at once after accept. No session: `error` and the words are in a farewell instead. */
struct greeting {
    uint32_t magic;   /* GREETING_MAGIC */
    uint32_t version; /* PROTOCOL_VERSION of the daemon */
    struct secret session;
    uint64_t incarnation;
};
static_assert(sizeof(struct greeting) == 32, "the greeting has no padding");

/* Daemon to client, before it closes a session itself. May come instead of the greeting. */
struct farewell {
    uint32_t magic;   /* FAREWELL_MAGIC */
    uint32_t version; /* PROTOCOL_VERSION of the daemon */
    int32_t error;    /* 0 after BYE; -ENETRESET: the daemon stops; else why the session ended */
    uint32_t text_bytes;
    char text[FAREWELL_TEXT_BYTES]; /* not terminated */
};
static_assert(sizeof(struct farewell) == 256, "a farewell has no padding");
