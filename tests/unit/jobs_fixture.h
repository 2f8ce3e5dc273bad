/*
 * A core with a store in memory, clients, and hosts that do what the test says. Nothing moves by itself but time
 * asked for: a step's fetches and batches are answered at once, unless `hold` says that the store is slow.
 */
#pragma once

#include "core.h"
#include "store.h"

enum { SEEN_TEXT = 256, HOST_WINDOW = 4 };

/* One result as a client saw it. */
struct seen {
    struct list link;
    uint64_t conn, op, number, handle;
    int32_t status;
    uint32_t flags, index;
    char text[SEEN_TEXT], output[SEEN_TEXT];
    size_t jobs_n;
    struct job_info job; /* the first row; its strings are in `words` */
    size_t ids_n;
    uint64_t ids[64], runs[64]; /* of all rows; ids: or those that it gives */
    char words[5][SEEN_TEXT];   /* text, result, progress, queue, argument of the first row */
    size_t stats_n;
    char stats[64][64]; /* names of the first rows of counters */
    uint64_t values[64];
    struct offer offer;
    size_t schedules_n;
    struct schedule_info schedule;     /* the first row; its strings are those of `schedule_words` */
    char schedule_words[3][SEEN_TEXT]; /* name, text, spec of the first row */
    size_t feeds_n;
    struct feed_info feed;         /* as `schedule` */
    char feed_words[2][SEEN_TEXT]; /* name, text of the first row */
    uint64_t sequence;             /* that a publish gave */
    char function[SEEN_TEXT], argument[SEEN_TEXT], offer_text[SEEN_TEXT];
};

struct client {
    struct list link;
    uint64_t conn, peer, last_op, frames;
    struct secret secret;
    struct credentials who;
    uint64_t host, reserve, offers_seen;
};

struct jobs_fixture {
    struct core *core;
    struct limits limits;
    struct now now;
    uint64_t incarnation, peers, conns;
    struct store *store;
    struct effects effects;
    struct list seen, clients, held, fetches;
    bool hold;              /* batches and fetches wait for store_go_on */
    uint64_t stored;        /* the last batch reported */
    uint64_t batches;       /* the last one made */
    uint64_t host_started;  /* number of the last EFFECT_HOST_START */
    uint64_t hosts_started; /* how many */
    uint64_t host_killed;   /* number of the last EFFECT_HOST_KILL */
    uint64_t plugins_asked; /* EFFECT_PLUGIN so far */
    bool plugin_waiting, drained;
    char zone_waiting[SEEN_TEXT];                 /* of the last EFFECT_ZONE; "": answered */
    char plugin_path[SEEN_TEXT];                  /* of the last EFFECT_PLUGIN */
    char generation[SEEN_TEXT];                   /* of the last EFFECT_HOST_START */
    long allocations_left;                        /* before the next one fails; negative: none fails */
    bool fails_once;                              /* only that one; else all from there on */
    long refused, live;                           /* allocations that failed; blocks there are */
    long live_bytes;                              /* of them */
    void (*see_value)(const struct value *value); /* each that a result has; NULL: nobody looks */
    void (*see_batch)(const struct batch *batch, int error); /* each with its fate; the same */
};

/* cmocka's set-up and tear-down. Before set-up's core is made, limits are the defaults. */
int jobs_set_up(void **state);
int jobs_tear_down(void **state);
/* Makes the core anew on the same store, as after a restart, with the limits of the fixture. */
void restart(struct jobs_fixture *f);

/* Callbacks of its load. */
static inline int fixture_channel(void *context, const struct channel_row *row)
{
    const char *why;

    return core_load_channel(((struct jobs_fixture *)context)->core, row, &why);
}
static inline int fixture_job_ids(void *context, uint64_t last)
{
    core_load_job_ids(((struct jobs_fixture *)context)->core, last);
    return 0;
}
static inline int fixture_pool(void *context, struct bytes name, struct bytes kept)
{
    const char *why;

    return core_load_pool(((struct jobs_fixture *)context)->core, name, kept, &why);
}
static inline int fixture_value(void *context, const struct value_row *row, struct bytes body)
{
    const char *why;

    return core_load_value(((struct jobs_fixture *)context)->core, row, body, &why);
}

/* The configuration sets this of the queue: NAME=VALUE, a blank between two. */
void set_queue(struct jobs_fixture *f, const char *name, const char *settings);

/* One input: step, check, see the effects, and let the store answer. */
void fixture_step(struct jobs_fixture *f, const struct input *in);

/* ---- time and store ---- */

void advance_ms(struct jobs_fixture *f, int64_t ms);
/* Reports on everything held: 0 applies it, else it failed as a full store fails it (record.h). */
void store_go_on(struct jobs_fixture *f, int error);
/* The same for the first batch that is held. */
void store_one(struct jobs_fixture *f, int error);

/* ---- clients ---- */

struct client *client_new(struct jobs_fixture *f, uint32_t uid);
/* Its lifeline ends. */
void client_die(struct jobs_fixture *f, struct client *client);
/* Sends one operation. Its id. */
uint64_t ask(struct jobs_fixture *f, struct client *client, struct request request);
/* The answer; NULL: none yet. */
struct seen *answer(struct jobs_fixture *f, const struct client *client, uint64_t op);
/* Sends and expects this status. */
struct seen *ask_ok(struct jobs_fixture *f, struct client *client, struct request request, int32_t status);
void cancel_op(struct jobs_fixture *f, struct client *client, uint64_t op);

#define TEXT(text) ((struct bytes){(text), sizeof(text) - 1})
#define PLUGIN     TEXT("/p/good.so")

/* A submit with these further members. */
#define SUBMIT_TO(path, name, ...)                                                                           \
    ((struct request){                                                                                       \
        .verb = VERB_SUBMIT,                                                                                 \
        .submit = {.plugin = path, .function = name, .argument = TEXT("argument"), ##__VA_ARGS__}})
#define SUBMIT(...) SUBMIT_TO(PLUGIN, TEXT("count"), ##__VA_ARGS__)
#define LOOK(id)    ((struct request){.verb = VERB_JOB_INFO, .job_info = {id}})

/* Submits and gives the job's id; the plugin is answered for when the core asks. */
uint64_t submit(struct jobs_fixture *f, struct client *client, struct request request);
/* The row of a job as JOB_INFO gives it. */
struct job_info info(struct jobs_fixture *f, struct client *client, uint64_t job);
void assert_state(struct jobs_fixture *f, struct client *client, uint64_t job, enum job_state state,
                  enum job_cause cause);
uint64_t wait_job(struct jobs_fixture *f, struct client *client, uint64_t job);
int32_t cancel_job(struct jobs_fixture *f, struct client *client, uint64_t job);

/* ---- plugins and hosts ---- */

/* Answers the last EFFECT_PLUGIN: functions `count` and `other`, or only `count`. */
void plugin_is(struct jobs_fixture *f, struct bytes generation, bool other);
void plugin_fails(struct jobs_fixture *f, int error, struct bytes text);
/* The host asked for last is there; it has said nothing. */
struct client *host_silent(struct jobs_fixture *f);
/* The one of this number is there, and has said RESERVE with a window of HOST_WINDOW. */
struct client *host_up_as(struct jobs_fixture *f, uint64_t host);
/* The same, of the one asked for last. */
static inline struct client *host_up(struct jobs_fixture *f)
{
    return host_up_as(f, f->host_started);
}
/* The one that is up, or the one that was asked for. */
struct client *host_there(struct jobs_fixture *f);
/* The next offer of this kind that the host has not seen; NULL: none. */
struct seen *next_offer(struct jobs_fixture *f, struct client *host, enum offer_kind kind);
/* The next RUN, which must be there, and STARTED. */
struct seen *begin(struct jobs_fixture *f, struct client *host);
int32_t started(struct jobs_fixture *f, struct client *host, const struct seen *offer);
int32_t done(struct jobs_fixture *f, struct client *host, const struct seen *offer, enum job_cause cause,
             int error);
int32_t done_with(struct jobs_fixture *f, struct client *host, const struct seen *offer, struct bytes result);
/* The process ends: session first, then IN_HOST_END. signal 0: exit 0. */
void host_dies(struct jobs_fixture *f, struct client *host, int signal, uint64_t guilty_run);
