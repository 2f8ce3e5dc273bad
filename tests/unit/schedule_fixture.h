/* Schedules for tests, on the core, clients and store of jobs_fixture.h. */
#pragma once

#include "jobs_fixture.h"

#define SECOND_NS INT64_C(1000000000)
#define MINUTE_MS INT64_C(60000)
#define HOUR_MS   (60 * MINUTE_MS)

/* A SET with these further members; `name` and `spec` are literals. */
#define SCHEDULE(name_, spec_, ...)                                                                          \
    ((struct request){.verb = VERB_SCHEDULE_SET,                                                             \
                      .schedule_set = {.name = TEXT(name_),                                                  \
                                       .spec = TEXT(spec_),                                                  \
                                       .plugin = PLUGIN,                                                     \
                                       .function = TEXT("count"),                                            \
                                       .argument = TEXT("argument"),                                         \
                                       ##__VA_ARGS__}})

/* Answers the last EFFECT_ZONE: from the files of the system, or that there is none. */
void zone_is_read(struct jobs_fixture *f);
void zone_is_gone(struct jobs_fixture *f);
/* Answers whatever the core asks to have looked at. */
void look(struct jobs_fixture *f);
/* Sets it, and expects this status; the plugin is answered for when the core asks. */
struct seen *set_status(struct jobs_fixture *f, struct client *c, struct request request, int32_t status);
void set(struct jobs_fixture *f, struct client *c, struct request request);
int32_t hold_back(struct jobs_fixture *f, struct client *c, struct bytes name);
int32_t go_on(struct jobs_fixture *f, struct client *c, struct bytes name);
int32_t forget(struct jobs_fixture *f, struct client *c, struct bytes name);
/* The row of the one with this name, which must be there. */
struct seen *row(struct jobs_fixture *f, struct client *c, const char *name);
/* How many this client is told of. */
size_t schedules(struct jobs_fixture *f, struct client *c);
/* Jobs that the store has. */
size_t jobs_stored_n(struct jobs_fixture *f);
/* Wall and other clock, to this second of UTC, or further by so much, in one step. */
void at_utc(struct jobs_fixture *f, int64_t utc_s);
void jump_ms(struct jobs_fixture *f, int64_t ms);
