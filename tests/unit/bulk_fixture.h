/* Submits of many jobs as tests ask for them. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "jobs_fixture.h"

#define JOB_OF(path, name, ...)                                                                              \
    ((struct request_submit){.plugin = path, .function = name, .argument = TEXT("argument"), ##__VA_ARGS__})
#define JOB(...)   JOB_OF(PLUGIN, TEXT("count"), ##__VA_ARGS__)
#define MANY(jobs) many(jobs, sizeof(jobs) / sizeof(*(jobs)))

static inline struct request many(const struct request_submit *jobs, size_t n)
{
    return (struct request){.verb = VERB_SUBMIT_MANY, .submit_many = {jobs, n}};
}

static inline size_t jobs_there(struct jobs_fixture *f, struct client *c)
{
    return ask_ok(f, c, (struct request){.verb = VERB_JOB_LIST}, 0)->jobs_n;
}

/* A client to whom the plugin is known. */
static inline struct client *begin_known(struct jobs_fixture *f)
{
    struct client *c = client_new(f, 0);

    cancel_job(f, c, submit(f, c, SUBMIT()));
    return c;
}

/* Refused for that job, from 1, and nothing has happened. */
static inline const char *refused(struct jobs_fixture *f, struct client *c, struct request request,
                                  int32_t status, uint32_t index)
{
    size_t before = jobs_there(f, c);
    struct seen *seen = ask_ok(f, c, request, status);

    assert_int_equal(seen->index, index);
    assert_int_equal(jobs_there(f, c), before);
    return seen->text;
}
