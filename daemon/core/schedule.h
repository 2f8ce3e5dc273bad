/*
 * Schedules: what is submitted again and again, and how far each has come.
 *
 *     schedule.c        the objects: table, store's reports, load, timers
 *     schedule_run.c    a moment has come: which runs it means, and their jobs
 *     schedule_verbs.c  what clients ask
 *     schedule_zone.c   zones, which the shell reads (EFFECT_ZONE) and the core keeps as long as somebody needs them
 *
 * The rules: a run and the step of its schedule are one record, and no further moment is looked at before the store has
 * that (`pending`). So whatever is lost, a moment has one job or is still to come. `row.progress` is ahead of the store
 * while something is pending; `stored` is what a failure goes back to.
 * A schedule is in the table by its name. One that replaces another (`replaced`) keeps that until it is stored itself.
 */
#pragma once

#include "cron.h"
#include "schedules.h"

#define SCHEDULE_AGAIN_NS (INT64_C(10000000000)) /* when something that may pass stopped a run */
#define SCHEDULE_LOOK_NS                                                                                     \
    (INT64_C(60000000000)) /* a wall clock that was set is noticed after this at the latest */
#define CLOCK_JUMP_NS     (INT64_C(50000000))       /* less is the clock being slewed */
#define CLOCK_SET_BACK_NS (INT64_C(10800000000000)) /* a cursor further ahead than this goes back to now */

enum { SCHEDULE_TROUBLE_BYTES = 256 };

/* Invariant: `zone` is what was read last, and stays when the file is gone later. */
struct zone_place {
    struct list link;  /* schedules->zones */
    uint64_t users;    /* schedules */
    struct zone *zone; /* NULL: could not be read yet */
    bool asked;        /* EFFECT_ZONE is under way */
    int error;         /* of the last look; 0: none */
    char trouble[SCHEDULE_TROUBLE_BYTES];
    uint8_t name_size;
    char name[];
};

struct schedule {
    struct map_node node; /* schedules->by_name */
    struct list link;     /* schedules->pending, or schedules->setting while its SET waits */
    struct account *account;
    struct lane *lane; /* of its jobs: keeps queue, function and plugin */
    struct zone_place *place;
    struct schedule *replaced; /* until it is stored; or NULL */
    struct cron cron;
    struct schedule_row row; /* its strings stand behind the struct */
    struct schedule_progress stored;
    struct timer timer;
    uint64_t pending;      /* batch of its SET, or of its last runs; 0: none */
    int64_t next_ns;       /* wall clock; 0: none */
    struct secret session; /* while its SET waits: who asks, */
    uint64_t op;           /* by which operation */
    void *argument;
    uint32_t argument_size;
    bool fresh;                           /* its SET is pending */
    bool shelved;                         /* another one replaces it, if the store takes that */
    bool charged;                         /* a SLOT_SCHEDULES of its account */
    bool unread;                          /* its text is no schedule: written by another version */
    char trouble[SCHEDULE_TROUBLE_BYTES]; /* "": none */
};

struct schedules {
    struct map by_name;
    struct list pending; /* struct schedule, by batch */
    struct list setting; /* struct schedule, not in the table yet */
    struct list zones;
    int64_t anchor_ns; /* wall clock less monotonic clock, as the timers were set by */
    struct timer look;
    uint64_t runs, skipped;
};

/* ---- schedule.c ---- */

/* With the strings and the argument copied, not in the table, not charged, without zone and lane. NULL: out of
 * memory. */
struct schedule *schedule_new(struct core *core, struct account *account, const struct schedule_row *row,
                              struct bytes argument);
/* Out of the table and all lists. Accepts NULL; returns NULL. */
struct schedule *schedule_delete(struct core *core, struct schedule *s);
struct schedule *schedule_find(const struct core *core, struct bytes name);
/* Room for one schedule_add. 0 or -ENOMEM. */
int schedule_reserve(struct core *core);
void schedule_add(struct core *core, struct schedule *s);
void schedule_remove(struct core *core, struct schedule *s);
/* Its SET or its runs are in this batch: nothing of it happens until the store has that. */
void schedule_pend(struct core *core, struct schedule *s, uint64_t batch);
/* Sets next_ns and the timer from the cursor, which a clock that was set far back takes along. */
void schedule_arm(struct core *core, struct schedule *s);
void schedule_say(struct schedule *s, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* It cannot be due: why; NULL: it can. */
const char *schedule_fault(const struct schedule *s);

/* ---- schedule_run.c ---- */

/* Timer: a moment has come, or it is time to look again. */
void schedule_fire(struct core *core, struct timer *timer);

/* ---- schedule_zone.c ---- */

/* Takes one use of a zone; it may not be read yet. NULL: out of memory. */
struct zone_place *zone_get(struct core *core, struct bytes name);
void zone_drop(struct core *core, struct zone_place *place);
/* Asks the shell to read it, unless it is being read, or needs no file. 0 or -ENOMEM. */
int zone_ask(struct core *core, struct zone_place *place);
