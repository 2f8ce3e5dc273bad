/* What the tests of workers share: one reserves a job, says things of it, and ends it. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "jobs_fixture.h"

#define NOBODY       TEXT("")
#define WORK(...)    SUBMIT_TO(NOBODY, TEXT("resize"), ##__VA_ARGS__)
#define SECOND_NS    INT64_C(1000000000)
#define RESERVE(...) ((struct request){.verb = VERB_WORK_RESERVE, .work_reserve = {__VA_ARGS__}})

/* What a worker has of one job. */
struct held {
    uint64_t job, run;
};

/* The same request, which does not wait. */
struct request at_once(struct request request);
/* An answer that has exactly one job. */
struct held held_of(const struct seen *seen);
/* Takes one from the default queue. */
struct held reserve(struct jobs_fixture *f, struct client *worker);
/* DONE; its status. */
int32_t end(struct jobs_fixture *f, struct client *worker, struct held held, enum job_cause cause,
            bool permanent);
/* WORK_EXTEND; its status. */
int32_t extend(struct jobs_fixture *f, struct client *worker, struct held held, int64_t lease_ns);
/* WORK_WATCH; the operation. */
uint64_t watch(struct jobs_fixture *f, struct client *worker, struct held held);
/* Its session ends in order. */
void bye(struct jobs_fixture *f, struct client *client);
