/*
 * Schedules in the simulator: clients set, hold and remove a few (schedules.c), the ledger follows what is written of them to the
 * store (judge_schedules.c), and in some seeds time goes in hours and days (spans.c).
 */
#pragma once

#include "lives.h"
#include "moments.h"

enum { SCHEDULES = 4 /* names */, TAKEN_KEPT = 1024 };

/* What one SCHEDULE_SET asked for. */
struct plan {
    uint64_t tag; /* in the grace of its jobs */
    uint32_t name, spec, place, missed, most, overlap, queue;
};

/* A schedule as the store has it. Moments of the wall clock. */
struct entry_schedule {
    bool there, paused;
    struct plan plan;
    int64_t cursor_ns, next_ns; /* next_ns: the moment after that; 0: none */
    int64_t clear_ns;           /* until then something was in the way of its jobs */
    uint64_t last_job, runs, skipped;
    bool last_ended;  /* that job */
    uint64_t batch;   /* of its last run */
    uint64_t version; /* records of it */
};

/* When the core gave a batch, and which queues (bits) took no submits then, and had not for a while. */
struct taken {
    int64_t wall_ns;
    uint32_t closed;
};

struct schedule_book {
    struct entry_schedule of[SCHEDULES];
    struct plan *plans; /* all that were asked for */
    size_t plans_n;
    bool place_known[PLACES];       /* its zone was read since the daemon started */
    struct taken taken[TAKEN_KEPT]; /* by the number of the batch */
    int64_t closed_ns
        [QUEUES];   /* since then this queue has taken no submits; clock of the simulator; 0: it takes them */
    int64_t set_ns; /* by so much the clock on the wall was set */
    int64_t latest_ns; /* the latest that it showed before it was set; 0: it never was */
    int64_t passed_ns; /* the last standstill ended then; clock of the simulator, as the next */
    int64_t dawn_ns;   /* until then clients sleep; clock of the simulator */
};

/* Time goes in hours and days. */
static inline bool sim_is_long(const struct sim *sim)
{
    return sim->seed % 20 == 7;
}

/* schedules.c */
void work_schedule(struct client *client);

/* judge_schedules.c: with each start of the daemon; a zone was read, or not; the core gave batches to the store; the store does these,
 * or refuses one; after each step of the core; the core has taken this operation; a result that is no error leaves. */
void judge_schedules_start(struct sim *sim);
void judge_schedules_free(struct sim *sim);
void judge_zone(struct sim *sim, struct bytes name, bool read);
void judge_schedules_taken(struct sim *sim, const struct list *batches);
void judge_schedules_stored(struct sim *sim, const struct list *batches);
void judge_schedules_refused(struct sim *sim);
void judge_schedules_look(struct sim *sim);
void judge_schedule_came(struct sim *sim, struct task *task, uint64_t session, const struct request *request);
void judge_schedule_reply(struct sim *sim, const struct task *task, const struct result *result);

/* spans.c: perhaps begins a night, a standstill or a downtime; whether clients sleep, and until then. */
bool span_begins(struct sim *sim);
bool asleep(const struct sim *sim);
int64_t until_dawn(struct sim *sim);
/* To the next fault, in seeds in which time is long. */
int64_t until_fault(struct sim *sim);
/* There was a standstill a moment ago: what was due in it is not yet done. */
bool time_has_passed(const struct sim *sim);
int64_t sim_wall_ns(const struct sim *sim);
