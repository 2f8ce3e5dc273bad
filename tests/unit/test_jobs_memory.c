/*
 * Memory runs out at every allocation of a life in which every verb is asked for, once for one allocation and once for all
 * from there on. core_check holds after each step; whoever asked hears -ENOMEM, or what he would have heard, or nothing yet;
 * a job that was acknowledged is there after a restart; nothing leaks.
 */
#include <errno.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "jobs_fixture.h"

enum { MS = 1000000, ASKED_MAX = 256, JOBS = 3 };
#define VERB_NUMBERS 256

static const struct {
    enum verb verb;
    unsigned flags;
    const char *name;
} verbs[] = {
#define VERB_ROW(NAME, name, number, flags, help) {VERB_##NAME, flags, #name},
    VERBS(VERB_ROW)
#undef VERB_ROW
};

struct life {
    struct jobs_fixture *f;
    struct client *a, *b, *host;
    struct seen *run; /* the offer that is under way; NULL: none */
    int asked;
    int32_t status[ASKED_MAX];  /* what each request was answered */
    const struct life *healthy; /* with enough memory; NULL: this is it */
    bool verbs[VERB_NUMBERS];   /* went well, or waits */
    uint64_t jobs[JOBS];        /* acknowledged */
    int jobs_n;
};

enum { NO_ANSWER = INT32_MIN };

/* An answer to a request in which an allocation failed. */
static void judge(const struct life *life, const struct request *request, int32_t status)
{
    bool as_ever =
        life->healthy && life->asked < life->healthy->asked && status == life->healthy->status[life->asked];

    if (status < 0 && status != -ENOMEM && status != NO_ANSWER && !as_ever)
        fail_msg("verb %d answered %d when memory failed", request->verb, status);
}

/* There is no test clock, and the session that is asked about has not ended. */
static bool refused_when_well(enum verb verb)
{
    return verb == VERB_CLOCK_ADVANCE || verb == VERB_OP_STATUS;
}

/* Asks, and gives the handle of the answer; 0: there is none. */
static uint64_t say(struct life *life, struct client *who, struct request request)
{
    struct jobs_fixture *f = life->f;
    long refused = f->refused;
    uint64_t op = ask(f, who, request);

    if (f->plugin_waiting)
        plugin_is(f, TEXT("g1"), true);
    struct seen *seen = answer(f, who, op);
    int32_t status = seen ? seen->status : NO_ANSWER;
    if (f->refused > refused)
        judge(life, &request, status);
    assert_true(life->asked < ASKED_MAX && request.verb < VERB_NUMBERS);
    life->status[life->asked++] = status;
    life->verbs[request.verb] |= status >= 0 || status == NO_ANSWER || refused_when_well(request.verb);
    return seen && status >= 0 ? seen->handle : 0;
}

#define SAY(who, NAME, name, ...)                                                                            \
    say(life, (who), (struct request){.verb = VERB_##NAME, .name = {__VA_ARGS__}})
/* A request that waits a little when it has to. */
#define SOON(who, NAME, name, ...)                                                                           \
    say(life, (who),                                                                                         \
        (struct request){.verb = VERB_##NAME, .until = {.kind = UNTIL_IN, .ns = MS}, .name = {__VA_ARGS__}})

static void channels(struct life *life)
{
    struct value value = {.body = TEXT("v")};
    uint64_t x = SAY(life->a, CHAN_OPEN, chan_open, .name = TEXT("x"), .capacity = 1, .flags = OPEN_CREATE);
    uint64_t y = SAY(life->b, CHAN_OPEN, chan_open, .name = TEXT("x"));
    struct select_case cases[] = {{.kind = CASE_RECV, .handle = x},
                                  {.kind = CASE_JOB, .handle = life->jobs[0]}};

    SAY(life->a, SEND, send, x, &value, 1);
    SAY(life->b, RECV, recv, y, 1);
    SAY(life->b, RECV, recv, y, 1);
    SAY(life->a, SELECT, select, cases, 2);
    SAY(life->a, CHAN_INFO, chan_info, x);
    SAY(life->a, CHAN_LIST, chan_list, .limit = 10);
    SAY(life->a, CHAN_UNLINK, chan_unlink, TEXT("x"));
    SAY(life->a, CLOSE, close, x);
    SAY(life->b, CHAN_DROP, chan_drop, y);
}

static void locks(struct life *life)
{
    struct bytes lock = TEXT("lock"), cond = TEXT("cond");
    uint64_t token = SAY(life->a, LOCK, lock, lock);

    SAY(life->a, UNLOCK, unlock, lock, token);
    token = SAY(life->a, LOCK, lock, lock);
    SAY(life->b, LOCK, lock, lock);
    SAY(life->a, COND_WAIT, cond_wait, cond, lock, token);
    SAY(life->b, COND_SIGNAL, cond_signal, cond, SIGNAL_ALL);
    SAY(life->a, UNLOCK, unlock, lock, token);
}

static void sync_objects(struct life *life)
{
    static const char *const names[SYNC_KINDS] = {"",  "1", "2", "3",  "4",  "5", "6",
                                                  "7", "8", "9", "10", "11", "12"};

    for (uint32_t kind = 1; kind < SYNC_KINDS; kind++) {
        struct bytes name = {names[kind], strlen(names[kind])};
        SAY(life->a, SYNC_ADD, sync_add, kind, name, 1);
        uint64_t token =
            SOON(life->a, SYNC_TAKE, sync_take, kind, name, .units = 1, .size = 2, .period_ns = MS);
        SOON(life->b, SYNC_WAIT, sync_wait, kind, name, .value = 2);
        SAY(life->a, SYNC_GIVE, sync_give, kind, name, .units = 1, .token = token);
        SAY(life->a, SYNC_RESET, sync_reset, kind, name);
    }
}

static void contexts(struct life *life)
{
    struct ctx_value value = {TEXT("key"), TEXT("value")};
    uint64_t root = SAY(life->a, CTX_NEW, ctx_new, .name = TEXT("root"), .values = &value, .values_n = 1);
    uint64_t leaf =
        SAY(life->b, CTX_NEW, ctx_new, .parent_name = TEXT("root"), .deadline = UNTIL_IN, .deadline_ns = MS);

    SAY(life->b, CTX_WATCH, ctx_watch, root);
    SAY(life->b, CTX_INFO, ctx_info, leaf, .key = TEXT("key"));
    SAY(life->a, CTX_LIST, ctx_list, .limit = 10);
    SAY(life->a, CTX_CANCEL, ctx_cancel, root);
    SAY(life->a, CTX_DROP, ctx_drop, root);
}

static void submit_one(struct life *life, struct request request)
{
    uint64_t job = say(life, life->a, request);

    if (job)
        life->jobs[life->jobs_n++] = job;
}

static void host_comes(struct life *life)
{
    struct jobs_fixture *f = life->f;

    if (!f->host_started)
        return;
    life->host = host_silent(f);
    SAY(life->host, RESERVE, reserve, {f->generation, strlen(f->generation)}, HOST_WINDOW);
    life->host->reserve = life->host->last_op;
    life->run = next_offer(f, life->host, OFFER_RUN);
    if (life->run)
        SAY(life->host, STARTED, started, life->run->offer.job, life->run->offer.run);
}

static void look(struct life *life)
{
    uint64_t job = life->jobs[0];

    SAY(life->b, JOB_WAIT, job_wait, job);
    SAY(life->b, JOB_INFO, job_info, job);
    SAY(life->b, JOB_LIST, job_list, .limit = 10);
    SAY(life->b, OP_STATUS, op_status, life->a->secret, 1);
    SAY(life->b, PING, ping, TEXT("p"));
    SAY(life->b, STATS, stats, TEXT(""));
    SAY(life->b, CLOCK_ADVANCE, clock_advance, MS);
    SAY(life->b, CALLERS, callers, 1);
    SAY(life->b, DUMP, dump, .limit = 10);
    SAY(life->b, DEADLOCKS, deadlocks, 10);
    SAY(life->b, LEAKS, leaks, .limit = 10);
    SAY(life->b, GOROUTINES, goroutines, 0);
    SAY(life->b, INSPECT, inspect, .what = INSPECT_STATS, .job = job);
}

static void host_works(struct life *life)
{
    uint64_t job = life->run ? life->run->offer.job : 1, run = life->run ? life->run->offer.run : 1;
    struct seen *dump = life->host ? next_offer(life->f, life->host, OFFER_DUMP) : NULL;

    if (!life->host)
        return;
    SAY(life->host, DUMPED, dumped, dump ? dump->offer.job : 1, TEXT("stack"), .last = true);
    SAY(life->host, PROGRESS, progress, job, run, 0.5, TEXT("half"));
    SAY(life->host, PRINT, print, job, run, TEXT("output"));
    SAY(life->b, JOB_OUTPUT, job_output, job, .max = 100);
    SAY(life->host, DONE, done, .job = job, .run = run, .result = TEXT("result"));
    SAY(life->b, JOB_OUTPUT, job_output, job, .max = 100);
}

/* A worker takes two jobs, one of which the store has to read, lets the lease of one end, and dies with the other. */
static void works(struct life *life)
{
    struct request submit = SUBMIT_TO(TEXT(""), TEXT("resize"));
    struct client *worker = client_new(life->f, 0);

    say(life, life->a, submit);
    SAY(worker, WORK_RESERVE, work_reserve, .queues = TEXT("default"), .functions = TEXT("resize"), .max = 2);
    struct seen *seen = answer(life->f, worker, worker->last_op);
    uint64_t job = seen && seen->status > 0 ? seen->ids[0] : 1, run = seen ? seen->runs[0] : 1;
    SAY(worker, WORK_EXTEND, work_extend, job, run, 10 * MS);
    SAY(worker, WORK_WATCH, work_watch, job, run);
    say(life, life->a, submit);
    SAY(worker, WORK_RESERVE, work_reserve, .max = 2);
    advance_ms(life->f, 10);
    SOON(worker, WORK_RESERVE, work_reserve, .functions = TEXT("none"));
    advance_ms(life->f, 10);
    client_die(life->f, worker);
}

/* A pool takes the jobs of another queue, is drained, and goes. */
static void pools(struct life *life)
{
    SAY(life->a, POOL_SET, pool_set, TEXT("p"), TEXT("functions=/p/good.so hosts=2 min=1 goroutines=1"));
    say(life, life->a, SUBMIT());
    SAY(life->b, POOL_INFO, pool_info, TEXT("p"));
    SAY(life->b, POOL_LIST, pool_list, .limit = 1);
    SAY(life->b, POOL_DRAIN, pool_drain, TEXT("p"), POOL_DRAIN_BEGIN);
    SAY(life->b, POOL_DRAIN, pool_drain, TEXT("p"), POOL_DRAIN_END);
    SAY(life->a, POOL_SET, pool_set, TEXT("p"), TEXT("hosts=1"));
    SAY(life->a, POOL_REMOVE, pool_remove, TEXT("p"));
}

/* A queue is made, has a job, and goes. */
static void made_queue(struct life *life)
{
    SAY(life->a, QUEUE_SET, queue_set, TEXT("made"), TEXT("weight=2"));
    say(life, life->a, SUBMIT(.queue = TEXT("made"), .delay_ns = 60 * MS));
    SAY(life->a, QUEUE_REMOVE, queue_remove, TEXT("made"));
    SAY(life->a, QUEUE_PURGE, queue_purge, TEXT("made"));
    SAY(life->a, QUEUE_REMOVE, queue_remove, TEXT("made"));
}

/* Each verb with nothing in its request. */
static void ask_nothing(struct life *life)
{
    for (size_t i = 0; i < sizeof(verbs) / sizeof(*verbs); i++)
        if (!(verbs[i].flags & VERB_HOST) || life->host)
            say(life, verbs[i].flags & VERB_HOST ? life->host : life->b,
                (struct request){.verb = verbs[i].verb});
}

static void goes_out(struct life *life)
{
    uint64_t job = life->jobs_n == JOBS ? life->jobs[JOBS - 1] : 1;

    SAY(life->a, JOB_CANCEL, job_cancel, job, TEXT("not wanted"));
    SAY(life->a, JOB_RETRY, job_retry, job);
    SAY(life->a, JOB_PURGE, job_purge, 1u << JOB_CANCELLED);
    ask_nothing(life);
    SAY(life->b, DRAIN, drain, DRAIN_BEGIN);
    if (life->host)
        host_dies(life->f, life->host, 11, 0);
    client_die(life->f, life->a);
    advance_ms(life->f, 100);
}

static void live(struct life *life, struct jobs_fixture *f, long n, bool once)
{
    *life = (struct life){.f = f, .healthy = life->healthy, .a = client_new(f, 0), .b = client_new(f, 0)};
    f->host_started = 0;
    f->refused = 0;
    f->fails_once = once;
    f->allocations_left = n;
    submit_one(life, SUBMIT(.attempts_max = 2, .backoff_ns = 1, .grace_ns = MS, .queue = TEXT("default")));
    submit_one(
        life, SUBMIT(.delay_ns = 1000 * (int64_t)MS, .deadline_in_ns = 5000 * (int64_t)MS, .key = TEXT("k")));
    submit_one(life, SUBMIT(.delay_ns = 1000 * (int64_t)MS));
    channels(life);
    locks(life);
    sync_objects(life);
    contexts(life);
    host_comes(life);
    look(life);
    host_works(life);
    works(life);
    pools(life);
    made_queue(life);
    goes_out(life);
    f->allocations_left = -1;
    advance_ms(f, 1000);
}

/* After a restart: what was acknowledged is there. The last job was purged. */
static void look_again(struct life *life)
{
    struct jobs_fixture *f = life->f;

    restart(f);
    struct client *c = client_new(f, 0);
    for (int i = 0; i < life->jobs_n && i < JOBS - 1; i++)
        info(f, c, life->jobs[i]);
}

static struct life healthy(struct jobs_fixture *f)
{
    struct life life = {0};

    live(&life, f, -1, false);
    return life;
}

/* So many of the verbs go well or wait; the others are asked for with nothing in the request alone. */
enum { VERBS_WELL = 55 };

static void test_the_life_asks_well_for_the_verbs(void **state)
{
    struct life life = healthy(*state);
    int well = 0;

    for (size_t i = 0; i < sizeof(verbs) / sizeof(*verbs); i++) {
        well += life.verbs[verbs[i].verb];
        if (!life.verbs[verbs[i].verb])
            print_message("%s is never asked for well\n", verbs[i].name);
    }
    assert_true(well >= VERBS_WELL);
    assert_int_equal(life.jobs_n, JOBS);
    assert_non_null(life.run);
}

/* A new core on a new store: each life begins as the others did. */
static struct jobs_fixture *afresh(void **state)
{
    jobs_tear_down(state);
    jobs_set_up(state);
    return *state;
}

/* Each allocation of the life, until one is asked for behind the last. */
static void each_allocation(void **state, bool once, long every)
{
    struct life well = healthy(*state), life = {.healthy = &well};
    struct jobs_fixture *f;
    long n = 0;

    do {
        f = afresh(state);
        live(&life, f, n, once);
        look_again(&life);
        n += every;
    } while (f->refused > 0);
    assert_true(n > 300);
}

static void test_one_allocation_that_fails_is_told_or_made_again(void **state)
{
    each_allocation(state, true, 1);
}

static void test_memory_that_stays_out_is_told(void **state)
{
    each_allocation(state, false, 3);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, jobs_set_up, jobs_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_the_life_asks_well_for_the_verbs),
        TEST(test_one_allocation_that_fails_is_told_or_made_again),
        TEST(test_memory_that_stays_out_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
