/*
 * A client that speaks raw frames: it can say what no library would. Over ZeroMQ, or with RAW_LANE=local in the
 * environment over a lifeline. One thread, blocking; a wait that finds nothing for RAW_PATIENCE_MS fails the test.
 */
#pragma once

#include "daemon_node.h"
#include "message.h"
#include "wire.h"

enum { RAW_PATIENCE_MS = 60000 };

struct raw {
    void *context, *socket; /* over ZeroMQ */
    int stream;             /* the local lane; else -1 */
    struct wire *in, *out;
    int lifeline; /* -1: none */
    struct secret session;
    uint64_t number; /* of the last frame sent */
};

/* Whether RAW_LANE says so. */
bool raw_is_local(void);
/* Connects the DEALER only; on the local lane, a lifeline whose session nobody uses. */
void raw_connect(struct raw *raw, const struct node *node);
/* The same with the lane named. */
void raw_connect_by(struct raw *raw, const struct node *node, bool local);
/* Opens a lifeline and reads its greeting; on the local lane, uses the session of the stream. */
void raw_greet(struct raw *raw, const struct node *node);
/* raw_connect, raw_greet, HELLO, and the welcome. */
void raw_open(struct raw *raw, const struct node *node);
void raw_close(struct raw *raw);

/* Sends bytes as a frame of one part. */
void raw_send_bytes(struct raw *raw, const void *data, size_t size);
/* Encodes and sends; a number of 0 is replaced by the next one. */
void raw_send(struct raw *raw, struct client_frame frame);
/* Sends a frame of one operation. */
void raw_ask(struct raw *raw, struct request request);
/* The next frame; lives until the next call. */
const struct server_frame *raw_receive(struct raw *raw);
/* The first result of the next frame. */
const struct result *raw_result(struct raw *raw);

/* Connects a lifeline: its descriptor, with *session from the greeting. */
int lifeline_open(const struct node *node, struct secret *session);
/* Waits for the end of a lifeline; the error of its farewell, or 1 when there was none. */
int lifeline_farewell(int fd);
