/*
 * Queues against a model: random submits, ends, returns and changes of policy, and after each what started is compared
 * with a reference that looks at all jobs each time. MODEL_SEEDS says how many runs.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "queue_rig.h"

#include "filter.h"

enum { JOBS = 400, KEYS = 5, STEPS = 300, SEEDS = 200 };

/* The reference: an array, and rules as they are told in the manual. */
struct model_job {
    struct job *job;
    int key, function;
    uint32_t priority;
    int64_t since; /* its place among those that wait */
    enum { WAITS, RUNS, OVER } state;
};

struct model {
    struct model_job jobs[JOBS];
    size_t n;
    uint64_t concurrency, key_concurrency, serial;
    unsigned seed;
};

static const char *const keys[KEYS] = {NULL, "a", "b", "c", "d"};

static unsigned draw(struct model *m, unsigned below)
{
    m->seed = m->seed * 1103515245 + 12345;
    return (m->seed >> 16) % below;
}

static size_t running(const struct model *m, int key)
{
    size_t n = 0;

    for (size_t i = 0; i < m->n; i++)
        n += m->jobs[i].state == RUNS && (key < 0 || m->jobs[i].key == key);
    return n;
}

/* No other job of its key waits that is older. */
static bool is_first(const struct model *m, const struct model_job *job)
{
    for (size_t i = 0; i < m->n; i++)
        if (m->jobs[i].state == WAITS && m->jobs[i].key == job->key && m->jobs[i].since < job->since)
            return false;
    return true;
}

static bool may_start(const struct queue_rig *rig, const struct model *m, const struct model_job *job)
{
    uint64_t bound = m->serial ? 1 : m->key_concurrency;

    if (job->state != WAITS || running(m, -1) >= m->concurrency || rig->absent[job->function])
        return false;
    if (!job->key)
        return true;
    return (!bound || running(m, job->key) < bound) && (!m->serial || is_first(m, job));
}

static struct model_job *of(struct model *m, const struct job *job)
{
    for (size_t i = 0; i < m->n; i++)
        if (m->jobs[i].state != OVER && m->jobs[i].job == job)
            return &m->jobs[i];
    fail_msg("a job started that is not there");
    return NULL;
}

/* Each job that started was one that could, and of those none was more urgent, nor older with its key. */
static void follow(struct queue_rig *rig, struct model *m, size_t from)
{
    for (size_t at = from; at < rig->started_n; at++) {
        struct model_job *job = of(m, rig->started[at]);
        assert_true(may_start(rig, m, job));
        for (size_t i = 0; i < m->n; i++) {
            const struct model_job *other = &m->jobs[i];
            if (!may_start(rig, m, other))
                continue;
            assert_true(other->priority <= job->priority);
            if (other->key == job->key && other->priority == job->priority)
                assert_true(other->since >= job->since);
        }
        job->state = RUNS;
    }
    for (size_t i = 0; i < m->n; i++)
        assert_false(may_start(rig, m, &m->jobs[i]));
}

static void go(struct queue_rig *rig, struct model *m)
{
    size_t from = rig->started_n;

    dispatch_soon(rig->core);
    rig_go(rig);
    follow(rig, m, from);
}

static void submit(struct queue_rig *rig, struct model *m)
{
    struct model_job *job = &m->jobs[m->n];

    if (m->n == JOBS)
        return;
    *job = (struct model_job){
        .key = (int)draw(m, KEYS), .function = (int)draw(m, RIG_FUNCTIONS), .priority = draw(m, 3)};
    job->job = SUBMITTED(rig, .key = keys[job->key], .function = job->function, .priority = job->priority);
    job->since = job->job->ticket;
    m->n++;
}

/* One that runs ends, or goes back to its place. */
static void end_one(struct queue_rig *rig, struct model *m)
{
    size_t at = rig->started_n ? draw(m, (unsigned)rig->started_n) : 0;

    if (!rig->started_n || !rig->started[at])
        return;
    struct model_job *job = of(m, rig->started[at]);
    bool back = draw(m, 4) == 0;
    job->state = back ? WAITS : OVER;
    if (back)
        rig_return(rig, at);
    else
        rig_end(rig, at);
}

static void change(struct queue_rig *rig, struct model *m)
{
    char settings[128];

    m->concurrency = 1 + draw(m, 8);
    m->key_concurrency = draw(m, 3);
    m->serial = draw(m, 2);
    snprintf(settings, sizeof(settings),
             "ageing_ms=0 concurrency=%d key_concurrency=%d serial=%s fair=%s quantum=%d",
             (int)m->concurrency, (int)m->key_concurrency, m->serial ? "yes" : "no",
             draw(m, 2) ? "yes" : "no", 1 + (int)draw(m, 3));
    rig_queue(rig, "default", settings);
}

static void run_seed(struct queue_rig *rig, unsigned seed)
{
    struct model *m = calloc(1, sizeof(*m));

    m->seed = seed;
    change(rig, m);
    for (int i = 0; i < STEPS; i++) {
        unsigned what = draw(m, 100);
        if (what < 45)
            submit(rig, m);
        else if (what < 90)
            end_one(rig, m);
        else if (what < 95)
            rig->absent[draw(m, RIG_FUNCTIONS)] = draw(m, 2);
        else
            change(rig, m);
        go(rig, m);
    }
    memset(rig->absent, 0, sizeof(rig->absent));
    rig_queue(rig, "default", "concurrency=1000");
    rig_run_dry(rig);
    free(m);
}

static void test_what_starts_is_what_the_rules_say(void **state)
{
    const char *word = getenv("MODEL_SEEDS");
    unsigned seeds = word ? (unsigned)atoi(word) : SEEDS;

    for (unsigned seed = 1; seed <= seeds; seed++) {
        print_message("seed %u\n", seed);
        rig_set_up(state);
        run_seed(*state, seed);
        rig_tear_down(state);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_what_starts_is_what_the_rules_say)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
