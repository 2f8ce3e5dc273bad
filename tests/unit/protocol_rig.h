/*
 * A client protocol with a scripted daemon: tests say what came, and look at what would leave. Time stands still
 * until rig_sleep.
 */
#pragma once

#include "protocol.h"

enum { RIG_OPS = 64 };

struct rig_op {
    struct protocol_op op; /* first: a protocol_op is a rig_op */
    int results, leftovers, status;
    uint32_t flags, values_n;
    uint64_t number;
    bool released;
};

struct rig {
    struct protocol *p;
    struct rig_op ops[RIG_OPS];
    int ops_n;
    int64_t now_ns;
    uint64_t number;        /* of the daemon's last frame on this connection */
    struct welcome welcome; /* answers the last HELLO or RESUME */
};

/* A protocol with a session, welcomed with a window of 4 operations and 1000 bytes; RESUME still to come. */
struct rig *rig_new(void);
struct rig *rig_new_unbound(void);
void rig_delete(struct rig *rig);

/* Starts an operation; `request` is copied flat. */
struct rig_op *rig_start(struct rig *rig, struct request request, int64_t deadline_ns);
struct rig_op *rig_recv(struct rig *rig);
struct rig_op *rig_send(struct rig *rig, const char *text);
struct rig_op *rig_verb(struct rig *rig, enum verb verb);

/* The next frame, which must be there; or that none is. */
const struct client_frame *rig_leaves(struct rig *rig);
void rig_leaves_nothing(struct rig *rig);

/* Frames of the daemon. */
void rig_welcome(struct rig *rig, const struct op_state *states, size_t states_n);
void rig_result(struct rig *rig, const struct rig_op *of, int status);
void rig_value(struct rig *rig, const struct rig_op *of, size_t values_n, uint32_t flags);
void rig_stream(struct rig *rig, const struct rig_op *of, uint64_t number, uint32_t flags);
void rig_ping_result(struct rig *rig, uint64_t id);
void rig_need_resume(struct rig *rig);

/* Time passes, and is noticed. */
void rig_sleep(struct rig *rig, int64_t ns);
