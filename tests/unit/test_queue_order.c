/* In which order the jobs of a queue start, and which of them may. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "queue_rig.h"

#include "filter.h"

static void assert_order(struct queue_rig *rig, struct job *const *jobs, size_t n)
{
    assert_int_equal(rig->started_n, n);
    for (size_t i = 0; i < n; i++)
        assert_ptr_equal(rig->started[i], jobs[i]);
}

static void test_a_key_runs_no_more_at_once_than_it_may(void **state)
{
    struct queue_rig *rig = *state;

    rig_queue(rig, "default", "key_concurrency=2");
    for (int i = 0; i < 4; i++)
        SUBMITTED(rig, .key = "a");
    SUBMITTED(rig, .key = "b");
    rig_go(rig);
    assert_int_equal(rig->started_n, 3); /* two of a, one of b */
    rig_end(rig, 0);
    rig_go(rig);
    assert_int_equal(rig->started_n, 4);
    rig_run_dry(rig);
    assert_int_equal(rig->started_n, 5);
}

static void test_jobs_without_a_key_have_no_bound_in_common(void **state)
{
    struct queue_rig *rig = *state;

    rig_queue(rig, "default", "serial=yes");
    for (int i = 0; i < 4; i++)
        SUBMITTED(rig, .function = i % 2);
    rig_go(rig);
    assert_int_equal(rig->started_n, 4);
}

static void test_the_bound_of_a_key_is_one_over_all_functions_and_priorities(void **state)
{
    struct queue_rig *rig = *state;

    rig_queue(rig, "default", "key_concurrency=1");
    struct job *low = SUBMITTED(rig, .key = "a");
    struct job *high = SUBMITTED(rig, .key = "a", .function = 1, .priority = 9);
    rig_go(rig);
    assert_order(rig, &high, 1);
    rig_end(rig, 0);
    rig_go(rig);
    assert_ptr_equal(rig->started[1], low);
}

static void test_serial_is_in_the_order_of_submit_whatever_the_priority(void **state)
{
    struct queue_rig *rig = *state;
    struct job *jobs[4];

    rig_queue(rig, "default", "serial=yes");
    for (int i = 0; i < 4; i++)
        jobs[i] = SUBMITTED(rig, .key = "a", .function = i % 2, .priority = (uint32_t)i);
    for (size_t i = 0; i < 4; i++) {
        rig_go(rig);
        assert_int_equal(rig->started_n, i + 1);
        assert_ptr_equal(rig->started[i], jobs[i]);
        rig_end(rig, i);
    }
}

static void test_serial_waits_for_a_function_that_nobody_runs_and_others_do_not(void **state)
{
    struct queue_rig *rig = *state;

    rig->absent[0] = true;
    rig_queue(rig, "default", "serial=yes");
    struct job *first = SUBMITTED(rig, .key = "a");
    struct job *second = SUBMITTED(rig, .key = "a", .function = 1);
    struct job *other = SUBMITTED(rig, .key = "b", .function = 1);
    rig_go(rig);
    assert_order(rig, &other, 1);
    rig->absent[0] = false;
    dispatch_soon(rig->core);
    rig_go(rig);
    assert_ptr_equal(rig->started[1], first);
    rig_end(rig, 1);
    rig_go(rig);
    assert_ptr_equal(rig->started[2], second);
}

static void test_a_serial_job_that_is_handed_back_is_first_again(void **state)
{
    struct queue_rig *rig = *state;

    rig_queue(rig, "default", "serial=yes");
    struct job *first = SUBMITTED(rig, .key = "a");
    SUBMITTED(rig, .key = "a");
    rig_go(rig);
    rig_return(rig, 0);
    rig_go(rig);
    assert_int_equal(rig->started_n, 2);
    assert_ptr_equal(rig->started[1], first);
}

static void test_jobs_that_cannot_start_never_stand_before_those_that_can(void **state)
{
    struct queue_rig *rig = *state;

    rig->absent[0] = true;
    rig_queue(rig, "default", "key_concurrency=1");
    SUBMITTED(rig, .priority = 9);
    SUBMITTED(rig, .key = "a", .priority = 9);
    struct job *can = SUBMITTED(rig, .key = "a", .function = 1);
    rig_go(rig);
    assert_order(rig, &can, 1);
}

/* Shares of 10,000 jobs, of which `first` are of key a, before all others. */
static void shares(struct queue_rig *rig, size_t run, const size_t *backlog, size_t keys, size_t *got)
{
    size_t mark = rig->started_n;

    rig->room = 0;
    for (size_t k = 0; k < keys; k++)
        for (size_t i = 0; i < backlog[k]; i++)
            SUBMITTED(rig, .key = (char[]){(char)('a' + k), 0}, .function = (int)(i % 2));
    memset(got, 0, keys * sizeof(*got));
    while (rig->started_n - mark < run) {
        rig->room = 1;
        rig_go(rig);
        assert_int_equal(rig->room, 0);
        got[(int)rig->started[rig->started_n - 1]->lane->key->text[0] - 'a']++;
        rig_end(rig, rig->started_n - 1);
        dispatch_soon(rig->core);
    }
}

static void assert_share(size_t got, size_t fair)
{
    if (got * 10 < fair * 9 || got * 10 > fair * 11)
        fail_msg("a share of %zu is not within 10 %% of %zu", got, fair);
}

static void test_keys_share_10000_jobs_whoever_came_first_with_most(void **state)
{
    const size_t backlog[4] = {9000, 2600, 2600, 2600};
    struct queue_rig *rig = *state;
    size_t got[4];

    rig->unchecked = true;
    shares(rig, 10000, backlog, 4, got);
    for (int k = 0; k < 4; k++)
        assert_share(got[k], 2500);
}

static void test_what_a_key_does_not_take_is_shared_by_the_others(void **state)
{
    const size_t backlog[3] = {9000, 1000, 9000};
    struct queue_rig *rig = *state;
    size_t got[3];

    rig->unchecked = true;
    shares(rig, 10000, backlog, 3, got);
    assert_int_equal(got[1], 1000);
    assert_share(got[0], 4500);
    assert_share(got[2], 4500);
}

static void test_a_key_that_comes_one_job_at_a_time_gets_no_more_than_its_turn(void **state)
{
    struct queue_rig *rig = *state;
    size_t quick = 0;

    rig->room = 0;
    for (int i = 0; i < 100; i++)
        SUBMITTED(rig, .key = "slow");
    for (int i = 0; i < 50; i++) {
        SUBMITTED(rig, .key = "quick");
        for (int j = 0; j < 2; j++) {
            rig->room = 1;
            dispatch_soon(rig->core);
            rig_go(rig);
            quick += rig->started[rig->started_n - 1]->lane->key->text[0] == 'q';
            rig_end(rig, rig->started_n - 1);
            rig->room = 0;
        }
    }
    assert_int_equal(quick, 50);
}

static void test_the_quantum_is_what_a_key_starts_in_its_turn(void **state)
{
    struct queue_rig *rig = *state;
    const char *order = "aaabbbaaabbb";

    rig_queue(rig, "default", "quantum=3");
    rig->room = 0;
    for (int i = 0; i < 6; i++) {
        SUBMITTED(rig, .key = "a");
        SUBMITTED(rig, .key = "b");
    }
    rig->room = strlen(order);
    rig_go(rig);
    assert_int_equal(rig->started_n, strlen(order));
    for (size_t i = 0; order[i]; i++)
        assert_int_equal(rig->started[i]->lane->key->text[0], order[i]);
}

static void test_100000_keys_each_start_one_job_before_any_starts_its_second(void **state)
{
    enum { MANY = 100000 };
    struct queue_rig *rig = *state;
    bool *had = calloc(MANY, sizeof(*had));
    char key[16];

    rig->unchecked = true;
    rig_queue(rig, "default", "concurrency=1000000");
    for (int i = 0; i < 2 * MANY; i++) {
        snprintf(key, sizeof(key), "%d", i % MANY);
        SUBMITTED(rig, .key = key);
    }
    rig->room = MANY;
    rig_go(rig);
    assert_int_equal(rig->started_n, MANY);
    for (size_t i = 0; i < MANY; i++) {
        const struct queue_key *its = rig->started[i]->lane->key;
        memcpy(key, its->text, its->size);
        key[its->size] = '\0';
        bool *one = &had[strtol(key, NULL, 10)];
        assert_false(*one);
        *one = true;
    }
    free(had);
}

static void test_without_fairness_the_oldest_job_starts_first(void **state)
{
    struct queue_rig *rig = *state;
    struct job *jobs[6];

    rig_queue(rig, "default", "fair=no");
    rig->room = 0;
    for (int i = 0; i < 6; i++)
        jobs[i] = SUBMITTED(rig, .key = i < 4 ? "a" : "b");
    rig->room = 6;
    rig_go(rig);
    assert_order(rig, jobs, 6);
}

static void test_priority_is_before_fairness(void **state)
{
    struct queue_rig *rig = *state;

    rig->room = 0;
    struct job *low = SUBMITTED(rig, .key = "b");
    struct job *first = SUBMITTED(rig, .key = "a", .priority = 1);
    struct job *second = SUBMITTED(rig, .key = "a", .priority = 1);
    rig->room = 3;
    rig_go(rig);
    assert_order(rig, (struct job *[]){first, second, low}, 3);
}

static void test_a_job_that_waits_makes_up_for_its_priority(void **state)
{
    struct queue_rig *rig = *state;

    rig_queue(rig, "default", "ageing_ms=1000");
    rig->room = 0;
    struct job *old = SUBMITTED(rig, .priority = 2);
    rig_after(rig, 3000);
    struct job *near = SUBMITTED(rig, .priority = 5); /* three priorities for three seconds: not yet */
    rig_after(rig, 1);
    struct job *young = SUBMITTED(rig, .priority = 5);
    rig->room = 3;
    dispatch_soon(rig->core);
    rig_go(rig);
    assert_order(rig, (struct job *[]){near, old, young}, 3);
}

static void test_without_ageing_priority_is_all(void **state)
{
    struct queue_rig *rig = *state;

    rig_queue(rig, "default", "ageing_ms=0");
    rig->room = 0;
    struct job *old = SUBMITTED(rig, .priority = 0);
    rig_after(rig, 1000000000);
    struct job *young = SUBMITTED(rig, .priority = 1);
    rig->room = 2;
    dispatch_soon(rig->core);
    rig_go(rig);
    assert_order(rig, (struct job *[]){young, old}, 2);
}

static void test_a_policy_may_change_while_jobs_wait(void **state)
{
    struct queue_rig *rig = *state;

    for (int i = 0; i < 3; i++) {
        SUBMITTED(rig, .key = "a");
        SUBMITTED(rig, .key = "b");
    }
    rig_queue(rig, "default", "serial=yes");
    rig_go(rig);
    assert_int_equal(rig->started_n, 2);
    rig_queue(rig, "default", "key_concurrency=2");
    rig_go(rig);
    assert_int_equal(rig->started_n, 4);
    rig_queue(rig, "default", "concurrency=5");
    rig_go(rig);
    assert_int_equal(rig->started_n, 5);
    rig_queue(rig, "default", "");
    rig_go(rig);
    assert_int_equal(rig->started_n, 6);
}

static void test_what_a_key_costs_goes_with_its_last_job(void **state)
{
    struct queue_rig *rig = *state;
    struct queue *queue = queue_find(rig->core, (struct bytes){"default", 7});

    SUBMITTED(rig, .key = "a");
    SUBMITTED(rig, .key = "b", .function = 1);
    assert_int_equal(queue->keys.count, 2);
    rig_run_dry(rig);
    rig_go(rig);
    assert_int_equal(queue->keys.count, 0);
    assert_true(list_empty(&queue->tracks));
}

/* ---- several queues ---- */

static void test_queues_share_hosts_by_weight(void **state)
{
    struct queue_rig *rig = *state;
    size_t got[2] = {0};

    rig_queue(rig, "big", "weight=3 concurrency=1000");
    rig_queue(rig, "small", "concurrency=1000");
    rig->room = 0;
    for (int i = 0; i < 400; i++) {
        SUBMITTED(rig, .queue = "big");
        SUBMITTED(rig, .queue = "small");
    }
    for (size_t i = 0; i < 400; i++) {
        rig->room = 1;
        dispatch_soon(rig->core);
        rig_go(rig);
        got[rig->started[i]->lane->queue->name[0] == 's']++;
    }
    assert_int_equal(got[0], 300);
    assert_int_equal(got[1], 100);
}

static void test_a_queue_that_was_empty_has_saved_up_nothing(void **state)
{
    struct queue_rig *rig = *state;
    size_t late = 0;

    rig_queue(rig, "default", "concurrency=1000");
    rig_queue(rig, "late", "concurrency=1000");
    rig->room = 0;
    for (int i = 0; i < 200; i++)
        SUBMITTED(rig);
    rig->room = 100;
    rig_go(rig);
    rig->room = 0;
    for (int i = 0; i < 100; i++)
        SUBMITTED(rig, .queue = "late");
    rig->room = 20;
    rig_go(rig);
    for (size_t i = 0; i < rig->started_n; i++)
        late += rig->started[i]->lane->queue->name[0] == 'l';
    assert_in_range(late, 10, 11);
}

static void test_a_queue_that_its_rate_has_kept_has_saved_up_nothing(void **state)
{
    struct queue_rig *rig = *state;
    size_t late = 0;

    rig_queue(rig, "default", "concurrency=1000");
    rig_queue(rig, "late", "concurrency=1000 rate=20 burst=20");
    rig->room = 0;
    for (int i = 0; i < 200; i++)
        SUBMITTED(rig);
    for (int i = 0; i < 100; i++)
        SUBMITTED(rig, .queue = "late");
    rig->room = 120; /* 20 of late */
    rig_go(rig);
    rig->room = 20;
    rig_after(rig, 1000);
    assert_int_equal(rig->started_n, 140);
    for (size_t i = 120; i < rig->started_n; i++)
        late += rig->started[i]->lane->queue->name[0] == 'l';
    assert_in_range(late, 9, 11);
}

static void test_a_full_queue_stops_no_other(void **state)
{
    struct queue_rig *rig = *state;

    rig_queue(rig, "one", "concurrency=1");
    for (int i = 0; i < 3; i++)
        SUBMITTED(rig, .queue = "one");
    SUBMITTED(rig);
    rig_go(rig);
    assert_int_equal(rig->started_n, 2);
}

/* ---- the rate ---- */

static void test_a_rate_starts_a_burst_and_then_one_in_each_period(void **state)
{
    struct queue_rig *rig = *state;

    rig_queue(rig, "default", "rate=10 burst=3");
    for (int i = 0; i < 8; i++)
        SUBMITTED(rig);
    rig_go(rig);
    assert_int_equal(rig->started_n, 3);
    rig_after(rig, 99);
    assert_int_equal(rig->started_n, 3);
    rig_after(rig, 1);
    assert_int_equal(rig->started_n, 4);
    rig_after(rig, 200);
    assert_int_equal(rig->started_n, 6);
}

static void test_the_core_wakes_for_the_next_token(void **state)
{
    struct queue_rig *rig = *state;

    rig_queue(rig, "default", "rate=1 rate_ms=5000");
    SUBMITTED(rig);
    SUBMITTED(rig);
    rig_go(rig);
    assert_int_equal(rig->started_n, 1);
    assert_int_equal(rig->out.wake_ns, rig->now.mono_ns + INT64_C(5000000000));
    rig_queue(rig, "default", "");
    rig_go(rig);
    assert_int_equal(rig->started_n, 2);
}

int main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, rig_set_up, rig_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_a_key_runs_no_more_at_once_than_it_may),
        TEST(test_jobs_without_a_key_have_no_bound_in_common),
        TEST(test_the_bound_of_a_key_is_one_over_all_functions_and_priorities),
        TEST(test_serial_is_in_the_order_of_submit_whatever_the_priority),
        TEST(test_serial_waits_for_a_function_that_nobody_runs_and_others_do_not),
        TEST(test_a_serial_job_that_is_handed_back_is_first_again),
        TEST(test_jobs_that_cannot_start_never_stand_before_those_that_can),
        TEST(test_keys_share_10000_jobs_whoever_came_first_with_most),
        TEST(test_what_a_key_does_not_take_is_shared_by_the_others),
        TEST(test_a_key_that_comes_one_job_at_a_time_gets_no_more_than_its_turn),
        TEST(test_the_quantum_is_what_a_key_starts_in_its_turn),
        TEST(test_100000_keys_each_start_one_job_before_any_starts_its_second),
        TEST(test_without_fairness_the_oldest_job_starts_first),
        TEST(test_priority_is_before_fairness),
        TEST(test_a_job_that_waits_makes_up_for_its_priority),
        TEST(test_without_ageing_priority_is_all),
        TEST(test_a_policy_may_change_while_jobs_wait),
        TEST(test_what_a_key_costs_goes_with_its_last_job),
        TEST(test_queues_share_hosts_by_weight),
        TEST(test_a_queue_that_was_empty_has_saved_up_nothing),
        TEST(test_a_queue_that_its_rate_has_kept_has_saved_up_nothing),
        TEST(test_a_full_queue_stops_no_other),
        TEST(test_a_rate_starts_a_burst_and_then_one_in_each_period),
        TEST(test_the_core_wakes_for_the_next_token),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
