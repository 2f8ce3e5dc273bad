/*
 * A job or a run that is to end when there is no memory for the record of that. A run is lost, nobody gets it any more, and
 * its job ends once there is some; an end that somebody asked for did not happen, and is asked for again. Records are not made
 * by the allocator of the core; the test's stand in for them, linked by --wrap.
 */
#include <errno.h>
#include <string.h>

#include "record.h"
#include "worker_fixture.h"

static int records_left; /* before there is no memory for another one; negative: there is always */

struct record *__real_record_new_of(enum record_kind kind, const struct job_row *row,
                                    const struct schedule_row *schedule, struct bytes body);
struct record *__wrap_record_new_of(enum record_kind kind, const struct job_row *row,
                                    const struct schedule_row *schedule, struct bytes body);

struct record *__wrap_record_new_of(enum record_kind kind, const struct job_row *row,
                                    const struct schedule_row *schedule, struct bytes body)
{
    if (records_left == 0)
        return NULL;
    records_left -= records_left > 0;
    return __real_record_new_of(kind, row, schedule, body);
}

static void drain(struct jobs_fixture *f, enum drain_what what)
{
    ask(f, client_new(f, 0), (struct request){.verb = VERB_DRAIN, .drain = {what}});
}

static void test_a_run_that_is_lost_on_its_way_goes_to_nobody(void **state)
{
    struct jobs_fixture *f = *state;

    f->limits.arguments_kept_bytes = sizeof("argument") - 1;
    restart(f);
    struct client *c = client_new(f, 0), *worker = client_new(f, 0);
    uint64_t late = submit(f, c, WORK(.deadline_in_ns = SECOND_NS)), job = submit(f, c, WORK());
    f->hold = true;
    uint64_t op = ask(f, worker, RESERVE(.max = 2)); /* one argument is there, the other is not */
    records_left = 0;
    advance_ms(f, 1000);
    drain(f, DRAIN_FORCE);
    records_left = -1;
    f->hold = false;
    store_go_on(f, 0);
    assert_state(f, c, late, JOB_RUNNING, CAUSE_NONE);
    advance_ms(f, 1000);
    assert_state(f, c, late, JOB_FAILED, CAUSE_TIMEOUT);
    drain(f, DRAIN_END);
    assert_int_equal(held_of(answer(f, worker, op)).job, job);
}

static void test_a_lease_that_ends_without_memory_ends_later(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);
    uint64_t job = submit(f, c, WORK());
    struct held held = held_of(answer(f, c, ask(f, c, RESERVE(.lease_ns = SECOND_NS))));

    records_left = 0;
    advance_ms(f, 1000);
    assert_state(f, c, job, JOB_RUNNING, CAUSE_NONE);
    records_left = -1;
    advance_ms(f, 1000);
    assert_state(f, c, job, JOB_READY, CAUSE_NONE);
    assert_int_equal(info(f, c, job).crashes, 1);
    assert_int_equal(end(f, c, held, CAUSE_NONE, false), -ESTALE);
}

/* ---- asked to end ---- */

/* A job that a worker asks for, `op`; its argument is still being read. */
static uint64_t being_read(struct jobs_fixture *f, struct client *worker, uint64_t context, uint64_t *op)
{
    struct request request = WORK();

    request.context = context;
    uint64_t job = submit(f, worker, request);
    f->hold = true;
    *op = ask(f, worker, RESERVE(.max = 1));
    return job;
}

static void read_on(struct jobs_fixture *f)
{
    f->hold = false;
    store_go_on(f, 0);
}

/* Its argument comes, and nobody is given the job. */
static void assert_ends_unread(struct jobs_fixture *f, struct client *worker, uint64_t job, uint64_t op)
{
    read_on(f);
    assert_state(f, worker, job, JOB_CANCELLED, CAUSE_CANCELED);
    assert_null(answer(f, worker, op));
    cancel_op(f, worker, op);
}

static void test_a_cancel_that_finds_no_memory_is_made_when_it_is_asked_again(void **state)
{
    struct jobs_fixture *f = *state;
    uint64_t op;

    f->limits.arguments_kept_bytes = 0;
    restart(f);
    for (int left = 0; left <= 2; left++) {
        struct client *worker = client_new(f, 0);
        uint64_t job = being_read(f, worker, 0, &op);
        records_left = left;
        cancel_job(f, worker, job);
        records_left = -1;
        cancel_job(f, worker, job);
        assert_ends_unread(f, worker, job, op);
    }
}

static void test_X1_a_context_that_ends_without_memory_ends_its_jobs_once_there_is_some(void **state)
{
    struct request make = {.verb = VERB_CTX_NEW, .ctx_new = {.deadline = UNTIL_FOREVER}};
    struct jobs_fixture *f = *state;
    uint64_t op;

    f->limits.arguments_kept_bytes = 0;
    restart(f);
    for (int left = 0; left <= 2; left++) {
        struct client *worker = client_new(f, 0);
        uint64_t context = ask_ok(f, worker, make, 0)->handle, job = being_read(f, worker, context, &op);
        records_left = left;
        ask(f, worker, (struct request){.verb = VERB_CTX_CANCEL, .ctx_cancel = {.context = context}});
        records_left = -1;
        advance_ms(f, 1000);
        assert_ends_unread(f, worker, job, op);
    }
}

/* ---- news that a store refuses, which none does that keeps to the rules of record.h ---- */

static void refuse_news(struct jobs_fixture *f)
{
    struct batch *batch = list_first(&f->held, struct batch, link);
    struct input in = {.kind = IN_STORED, .stored = {.batch = batch->number, .error = -EIO}};

    assert_false(batch_admits(batch));
    list_remove(&batch->link);
    batch_delete(batch);
    f->stored = in.stored.batch;
    fixture_step(f, &in);
}

static void test_news_that_was_refused_is_said_again_when_there_is_memory(void **state)
{
    struct jobs_fixture *f = *state;

    for (int left = -1; left <= 0; left++) {
        struct client *c = client_new(f, 0);
        uint64_t job = submit(f, c, WORK(.delay_ns = 3600 * SECOND_NS));
        f->hold = true;
        cancel_job(f, c, job);
        records_left = left;
        refuse_news(f);
        records_left = -1;
        read_on(f);
        submit(f, c, WORK()); /* the store reports on something */
        restart(f);
        assert_state(f, client_new(f, 0), job, JOB_CANCELLED, CAUSE_CANCELED);
    }
}

static int set_up(void **state)
{
    records_left = -1;
    return jobs_set_up(state);
}

int main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, set_up, jobs_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_a_run_that_is_lost_on_its_way_goes_to_nobody),
        TEST(test_a_lease_that_ends_without_memory_ends_later),
        TEST(test_a_cancel_that_finds_no_memory_is_made_when_it_is_asked_again),
        TEST(test_X1_a_context_that_ends_without_memory_ends_its_jobs_once_there_is_some),
        TEST(test_news_that_was_refused_is_said_again_when_there_is_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
