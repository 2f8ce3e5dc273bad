/*
 * A core with clients, without a daemon: fake time, fake memory, every result collected. core_check runs after each
 * step. The jobs of the core are replaced by core_jobs_fake.c.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "core.h"

enum { GOT_VALUES_MAX = 64, SECOND = 1000000000, MS = 1000000 };

/* A row about a waiting operation. */
struct got_wait {
    struct wait_info info; /* without its strings */
    char program[64], reason[64], kind[64], object[256];
};

/* A result as a client saw it. */
struct got {
    struct got *next;
    uint64_t conn, op, number, handle;
    int32_t status;
    uint32_t flags, index, doubt;
    size_t values_n;
    struct {
        char text[32];
        size_t size;
        uint32_t flags;
        struct passed handle[2]; /* the first ones */
        size_t handles_n;
        bool is_message;
        char topic[32], key[16], header[32]; /* the first header, as NAME=VALUE */
        uint64_t sequence, lost;
        int64_t time_us;
        uint32_t tries;
    } value[GOT_VALUES_MAX];
    char text[128], output[128];
    size_t chans_n, stats_n, chan_name_size;
    struct chan_info chan; /* the first */
    char names[1024];      /* of all, each with a blank behind it */
    uint64_t stat;         /* of the first */
    size_t ctxs_n;
    struct ctx_info ctx; /* the first; its words are in ctx_text */
    char ctx_text[64];
    struct got_wait *waits;
    size_t waits_n;
    struct published published;
    size_t topics_n;
    struct topic_info topic; /* the first; names of all are in `names` */
    struct group_info group; /* the same */
};

/* What a connection was told outside of results. */
struct said {
    uint64_t conn;
    bool need_resume, welcome;
    int32_t refused;
    char text[256];
    struct welcome hello;
    struct op_state state[64];
    size_t states_n;
};

struct rig {
    struct core *core;
    struct limits limits;
    struct now now;
    struct effects out;
    struct got *got;
    struct said said; /* the last */
    unsigned replies; /* how many */
    uint64_t conns, peers, ended_peer;
    int ended_error;
    unsigned ended_n;
    int64_t clock_ns;
    uint64_t incarnation;
    uint64_t batch_last; /* taken over, not yet reported */
    uint64_t fetch;      /* number of the last one asked for */
    struct fetch fetch_what;
    struct rig_fetch {
        uint64_t number;
        struct fetch what;
        uint64_t topics[256]; /* `what` points here */
    } asked[64];              /* all that nobody has answered */
    size_t asked_n;
    long allocs, live;
    long fail_from, fail_to; /* allocations from..to-1 of all since rig_new fail */
    bool unchecked;          /* too much to check after each step */
    struct client *clients;
    void (*take)(struct rig *rig, struct batch *batch); /* a batch for the store; NULL: it is forgotten */
};

struct client {
    struct client *next;
    struct rig *rig;
    struct secret secret;
    struct credentials who;
    uint64_t peer, conn, frame, op, mark;
    uint64_t run; /* scope of the next operations */
    struct until until;
    uint64_t context; /* of the next operation only */
};

#define LIMITS_SMALL(...)                                                                                    \
    &(struct limits)                                                                                         \
    {                                                                                                        \
        __VA_ARGS__                                                                                          \
    }

/* Of records the cores of rigs that are made from now on keep for later ones: 0, so that each allocation can be refused. */
extern size_t rig_keeps_bytes;
/* Limits: the defaults. */
struct rig *rig_new(void);
struct rig *rig_with(const struct limits *limits, uint64_t seed);
void rig_delete(struct rig *rig);
/* Another core in the place of this one, as after a restart: nothing is loaded yet, and every client is gone. */
void rig_reborn(struct rig *rig);
void rig_step(struct rig *rig, const struct input *in);
void rig_after(struct rig *rig, int64_t ns);
/* Steps until nothing is left to sweep. */
void rig_sweep(struct rig *rig);
void rig_stored(struct rig *rig, int error);
uint64_t rig_stat(struct rig *rig, const char *name);

/* A session that has said HELLO. */
struct client *client_new(struct rig *rig);
struct client *client_of(struct rig *rig, uint32_t uid);
/* A session whose connection is not bound yet. */
struct client *client_up(struct rig *rig, uint32_t uid, bool lease, uint64_t host);
void client_hello(struct client *c);
void client_die(struct client *c);
void client_bye(struct client *c);
void client_cut(struct client *c);
/* On a new connection, with these open operations (0 ends the list). */
void client_resume(struct client *c, ...);
/* A frame with this head; number, version and mark are filled in where they are zero. */
void client_frame(struct client *c, struct client_frame head);
/* One operation in a frame of its own, with a new id. */
uint64_t client_do(struct client *c, struct request request);
/* The same request again. */
void client_again(struct client *c, struct request request, uint64_t id);

/* Channel operations; `until` of the client applies to the next one only. */
uint64_t chan(struct client *c, const char *name, uint64_t capacity); /* opens or makes; its handle */
uint64_t chan_flags(struct client *c, const char *name, uint64_t capacity, uint32_t flags, uint32_t full);
uint64_t send1(struct client *c, uint64_t handle, const char *value);
uint64_t send_carrying(struct client *c, uint64_t handle, const char *value, const struct passed *passed,
                       size_t n);
uint64_t send_many(struct client *c, uint64_t handle, const char *values); /* one per blank */
uint64_t recv1(struct client *c, uint64_t handle);
uint64_t recv_many(struct client *c, uint64_t handle, uint32_t max);
uint64_t chan_close(struct client *c, uint64_t handle);
uint64_t select_of(struct client *c, const struct select_case *cases, size_t n);
struct chan_info info(struct client *c, uint64_t handle);
struct client *at_once(struct client *c); /* the next operation is a try */
struct client *within(struct client *c, int64_t ns);
struct client *under(struct client *c, uint64_t context);
void ack(struct client *c, uint64_t op, uint64_t count);
void give_back(struct client *c, uint64_t op, uint64_t keep);
void cancel(struct client *c, uint64_t op);

#define CASE_S(h, v)                                                                                         \
    {                                                                                                        \
        .kind = CASE_SEND, .handle = (h), .value.body = {(v), strlen(v) }                                    \
    }
#define CASE_R(h)                                                                                            \
    {                                                                                                        \
        .kind = CASE_RECV, .handle = (h)                                                                     \
    }
#define SELECT(c, ...)                                                                                       \
    select_of((c), (struct select_case[]){__VA_ARGS__},                                                      \
              sizeof((struct select_case[]){__VA_ARGS__}) / sizeof(struct select_case))

/* The last result of an operation; NULL: none has come. */
struct got *got(struct client *c, uint64_t op);
size_t got_count(struct client *c, uint64_t op);
/* The values of a result, each with a blank behind it. */
const char *got_values(struct client *c, uint64_t op);

#define assert_waits(c, op)          assert_null(got((c), (op)))
#define assert_status(c, op, expect) assert_int_equal(status_of((c), (op)), (expect))
int32_t status_of(struct client *c, uint64_t op);
/* NOTHING_YET: no result has come. */
enum { NOTHING_YET = -99999 };
int32_t status_if(struct client *c, uint64_t op);
/* The allocator of a rig, which is its context. */
void *rig_resize(void *context, void *p, size_t size);
#define assert_values(c, op, expect) assert_string_equal(got_values((c), (op)), (expect))
