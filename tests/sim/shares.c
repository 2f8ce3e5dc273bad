/*
 * Whose turn it is, while everybody always has a job to start: queues share the hosts by their weight, the keys of a queue
 * take turns of `quantum` jobs. After the work, where nothing else starts: the daemon is drained while both queues fill, so
 * that all begin at once, and the order of their first runs is judged.
 *
 * What a queue or key has had before counts for at most one turn.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "drain.h"
#include "lives.h"
#include "operator.h"

enum { KEYS = 2, EACH = 8, ALL = BRIEF * KEYS * EACH, TEXT_BYTES = 224 };

struct turn {
    uint64_t job, run; /* its first one */
    uint32_t queue, key;
};

struct shares {
    uint64_t weight[BRIEF], quantum;
    struct turn turn[ALL];
    size_t n;
};

/* ---- the work ---- */

static void expect(struct sim *sim, struct task *task, const char *what)
{
    struct reply reply = ask(task);

    if (!sim->failed && reply.status < 0)
        sim_fail(sim, "%s gives %d", what, reply.status);
}

static void set_up(struct sim *sim, const struct shares *shares, uint32_t queue)
{
    struct task *task = task_new(&sim->clients[0], VERB_QUEUE_SET);
    char text[TEXT_BYTES];
    int n = snprintf(
        text, sizeof(text),
        "concurrency=100 key_concurrency=0 serial=no fair=yes quantum=%llu ageing_ms=0 weight=%llu rate=0 "
        "waiting_max=0 waiting_bytes=0 breaker_failures=0 breaker_share=0",
        (unsigned long long)shares->quantum, (unsigned long long)shares->weight[queue]);

    task->op.request.queue_set = (struct request_queue_set){queue_name(queue), {text, (size_t)n}};
    expect(sim, task, "setting a queue");
}

static void pause_queue(struct sim *sim, uint32_t queue, enum pause_what what)
{
    struct task *task = task_new(&sim->clients[0], VERB_QUEUE_PAUSE);

    task->op.request.queue_pause = (struct request_queue_pause){.name = queue_name(queue), .what = what};
    expect(sim, task, "pausing a queue");
}

static void submit(struct sim *sim, struct shares *shares, uint32_t queue, uint32_t key)
{
    static const char *const keys[KEYS] = {"a", "b"};
    struct task *task = task_new(&sim->clients[0], VERB_SUBMIT);

    task->op.request.submit = (struct request_submit){.plugin = {"/p/0.so", 7},
                                                      .function = {"run", 3},
                                                      .argument = {"o", 1},
                                                      .queue = queue_name(queue),
                                                      .key = {keys[key], 1}};
    struct reply reply = ask(task);
    if (!sim->failed && reply.status != 0)
        sim_fail(sim, "a submit to a queue that is paused gives %d", reply.status);
    shares->turn[shares->n++] = (struct turn){.job = reply.handle, .queue = queue, .key = key};
}

static void fill(struct sim *sim, struct shares *shares)
{
    for (uint32_t queue = 0; queue < BRIEF && !sim->failed; queue++) {
        set_up(sim, shares, queue);
        pause_queue(sim, queue, PAUSE_BEGIN);
    }
    for (uint32_t queue = 0; queue < BRIEF; queue++)
        for (uint32_t key = 0; key < KEYS; key++)
            for (int i = 0; i < EACH && !sim->failed; i++)
                submit(sim, shares, queue, key);
    if (!sim->failed)
        expect(sim, drain_task(&sim->clients[0], DRAIN_BEGIN), "draining");
    for (uint32_t queue = 0; queue < BRIEF && !sim->failed; queue++)
        pause_queue(sim, queue, PAUSE_END);
    if (!sim->failed)
        expect(sim, drain_task(&sim->clients[0], DRAIN_END), "the end of a drain");
}

static void run_all(struct sim *sim, struct shares *shares)
{
    for (size_t i = 0; i < shares->n && !sim->failed; i++) {
        struct task *wait = task_new(&sim->clients[0], VERB_JOB_WAIT);
        wait->op.request.job_wait.job = shares->turn[i].job;
        struct reply reply = ask(wait);
        if (!sim->failed && reply.status < 0 && !(sim->forgets && reply.status == -ENOENT))
            sim_fail(sim, "waiting for a job gives %d", reply.status);
        const struct life *life = life_find(sim, shares->turn[i].job);
        shares->turn[i].run = life ? life->first_run : 0;
    }
}

/* ---- the judgement ---- */

static int by_run(const void *a, const void *b)
{
    const struct turn *left = a, *right = b;

    return (left->run > right->run) - (left->run < right->run);
}

/* As long as both still have jobs: a / wa and b / wb, in parts of a job, stay within one job of each and one from before. */
static bool fair(uint64_t a, uint64_t wa, uint64_t b, uint64_t wb)
{
    uint64_t left = a * wb, right = b * wa, apart = left > right ? left - right : right - left;

    return apart <= wa + wb + wa * wb;
}

static void judge(struct sim *sim, const struct shares *shares)
{
    uint64_t had[BRIEF][KEYS] = {0}, all[BRIEF] = {0};

    for (size_t i = 0; i < shares->n && !sim->failed; i++) {
        const struct turn *turn = &shares->turn[i];
        uint64_t *key = had[turn->queue];
        key[turn->key]++;
        all[turn->queue]++;
        if (key[0] < EACH && key[1] < EACH &&
            (key[0] > key[1] ? key[0] - key[1] : key[1] - key[0]) > 2 * shares->quantum)
            sim_fail(
                sim, "of the keys of a queue one has started %llu jobs, the other %llu, by turns of %llu",
                (unsigned long long)key[0], (unsigned long long)key[1], (unsigned long long)shares->quantum);
        if (all[0] < KEYS * EACH && all[1] < KEYS * EACH &&
            !fair(all[0], shares->weight[0], all[1], shares->weight[1]))
            sim_fail(sim, "queues of weights %llu and %llu have started %llu and %llu jobs",
                     (unsigned long long)shares->weight[0], (unsigned long long)shares->weight[1],
                     (unsigned long long)all[0], (unsigned long long)all[1]);
    }
}

void shares_try(struct sim *sim)
{
    struct shares shares = {.quantum = 1 + below(sim, 2)};

    shares.weight[0] = 1 + below(sim, 4);
    shares.weight[1] = 1 + below(sim, 4);
    fill(sim, &shares);
    run_all(sim, &shares);
    qsort(shares.turn, shares.n, sizeof(*shares.turn), by_run);
    if (!sim->failed)
        judge(sim, &shares);
}
