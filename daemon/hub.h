/*
 * The hub: one thread that owns the sockets and steps the core.
 *
 * One turn: take frames, step the core for each operation, hand batches to the store, carry out effects,
 * write all results. No locks; other threads reach it through descriptors in its poller. Nothing in a turn
 * blocks, and a turn stops taking frames after TURN_NS.
 * Everything declared here is for the hub thread.
 */
#pragma once

#include "clock.h"
#include "core.h"
#include "linger.h"
#include "outbox.h"
#include "poller.h"
#include "store.h"
#include "transport.h"
#include "wire.h"

enum {
    TURN_FRAMES = 256,
    TURN_NS = 1000000,
    UNBOUND_MAX = 4096, /* connections that say nothing of a session; the oldest is forgotten */
};

/*
 * Somebody who has a session: the process at the other end of a lifeline, or of a tcp connection.
 * Freed when its session has ended, by hub_peer_end.
 */
struct peer {
    uint64_t number;
    struct secret secret;
    struct credentials who;
    uint64_t host;             /* of EFFECT_HOST_START; 0: a client */
    struct lifeline *lifeline; /* NULL on tcp */
    struct list conns;         /* struct conn */
    UT_hash_handle by_number, by_secret;
};

enum hub_state { HUB_RUNNING, HUB_DRAINING, HUB_DRAINED, HUB_STOPPING };

struct hub_stats {
    uint64_t turns, frames, operations, results, refused_frames, dropped_frames;
};

struct config;
struct keys;
struct rights;
struct lifelines;
struct supervisor;
struct writer;

struct hub {
    const struct config *config;
    struct core *core;
    struct effects effects; /* asked for; effects.wake_ns is when the core wants to be woken */
    struct effects done;    /* carried out, or in a lane of the outbox and soon back here */
    struct clock clock;
    struct poller poller;
    struct lingering linger;
    struct wire *in, *out;
    struct outbox outbox;
    struct list transports;
    struct conn *conns; /* by number */
    struct list unbound, lost;
    size_t unbound_n;
    struct peer *peers_by_number, *peers_by_secret;
    struct lifelines *lifelines;
    struct transport *local; /* of what lifelines carry (local.h) */
    struct writer *writer;
    struct supervisor *supervisor;
    const struct store_ops *store_ops;
    struct store *store;
    struct source store_source, supervisor_source, signals;
    char *state_directory;
    bool state_temporary; /* removed at the end */
    int state_lock;       /* of the one that was named; -1: none, a temporary one is nobody else's */
    char **plugin_directories;
    uint64_t jobs_loaded, schedules_loaded;
    uint64_t incarnation, last_conn, last_peer;
    int64_t drain_until_ns; /* HUB_DRAINING */
    enum hub_state state;
    struct hub_stats stats;
    struct rights *rights; /* of the core; NULL: everybody may everything */
    struct keys *keys;     /* who may connect over tcp; NULL: nobody is asked */
    char boot_id[64];
    uint64_t time_namespace;
    bool pending; /* a transport could not send everything */
};

/* Steps the core; its effects are carried out at the end of the turn. */
void hub_step(struct hub *hub, const struct input *input);

/* ---- connections (conn.c) ---- */

/* A transport has a new connection: gives it a number. */
void hub_conn_opened(struct hub *hub, struct conn *conn, struct transport *transport, struct credentials who);
/* A transport says that a connection has ended, or must not be trusted any more. Frees it. */
void hub_conn_ended(struct hub *hub, struct conn *conn);
/* Frees a connection without telling the core: its session has ended, or the hub. */
void hub_conn_forget(struct hub *hub, struct conn *conn);
/* One frame has come. `parts` live for the call. */
void hub_frame(struct hub *hub, struct conn *conn, const struct bytes *parts, size_t parts_n);
/* One has come that is no frame, as these words say: it is refused, and logged. */
void hub_refuse(struct hub *hub, struct conn *conn, const char *why);
struct conn *hub_conn(struct hub *hub, uint64_t number);

/* ---- peers ---- */

/* Draws a session for somebody and tells the core. NULL: out of memory. */
struct peer *hub_peer_new(struct hub *hub, struct credentials who, uint64_t host, struct lifeline *lifeline,
                          bool lease);
/* Its owner is dead: the core ends the session in this step. Frees the peer. */
void hub_peer_died(struct hub *hub, struct peer *peer);
/* Forgets a peer and its connections; its lifeline is the caller's. */
void hub_peer_free(struct hub *hub, struct peer *peer);

/* ---- effects (carry.c) ---- */

/* Carries out all effects and writes all frames. */
void hub_carry_out(struct hub *hub);

/* ---- life (loop.c) ---- */

/* Starts to drain; a second time, stops at once. */
void hub_stop(struct hub *hub);
/* Turns until stopped. 0, or a negative errno value when the hub cannot go on. */
int hub_run(struct hub *hub);
void hub_log_stats(struct hub *hub);
