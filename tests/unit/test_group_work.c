/* The work of a group: floor, order per key, fairness, times; and random programs against a table of all messages. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "bare_core.h"
#include "group_work.h"

enum { MEMBERS = 5, KEYS = 4, WINDOW = 12, STEPS = 60000, MESSAGES = 60001 };

static struct core *core;
static struct group_work work;
static struct group_member member[MEMBERS];
static uint64_t over_sequence; /* of the last one whose time was over */
static size_t due_n;

static void over(struct core *in, struct group_message *message)
{
    over_sequence = message->sequence;
    group_again(in, message, VALUE_REDELIVERED);
}

static void due(struct core *in, struct group_work *of)
{
    due_n++;
}

static struct group_terms terms(void)
{
    return (struct group_terms){
        .window = WINDOW, .bytes = 1000, .span = 64, .ack_wait_ns = 100, .ordered = true};
}

static int set_up(void **state)
{
    struct group_terms all = terms();

    core = bare_core();
    over_sequence = due_n = 0;
    group_work_init(&work, &all, 0);
    work.over = over;
    work.due = due;
    return core ? 0 : -1;
}

static void end(struct group_message *message)
{
    group_ack(core, message);
    group_message_delete(core, message);
}

static int tear_down(void **state)
{
    struct group_message *message;

    while ((message = group_any(&work)))
        end(message);
    group_work_free(core, &work);
    core_delete(core);
    assert_int_equal(bare_pieces, 0);
    return 0;
}

static struct group_message *read_one(uint64_t sequence, uint64_t key)
{
    struct group_message *message = NULL;

    assert_int_equal(group_read(core, &work, sequence, key, 10, &message), 1);
    return message;
}

/* Gives what is to be given; its sequence, or 0. */
static uint64_t give(void)
{
    struct group_member *to;
    struct group_message *message = group_next(&work, &to);

    if (message)
        group_give(core, message, to);
    group_work_check(&work);
    return message ? message->sequence : 0;
}

static void pass_time(int64_t ns)
{
    core->now.mono_ns += ns;
    timers_run(core, SIZE_MAX);
    group_work_check(&work);
}

/* ---- floor ---- */

static void test_the_floor_is_below_the_first_open_message(void **state)
{
    read_one(5, 0);
    read_one(7, 0);
    assert_int_equal(group_floor(&work), 4);
    end(group_find(&work, 7));
    assert_int_equal(group_floor(&work), 4);
    end(group_find(&work, 5));
    assert_int_equal(group_floor(&work), 7);
    group_pass(&work, 20);
    assert_int_equal(group_floor(&work), 20);
    group_pass(&work, 10);
    assert_int_equal(group_floor(&work), 20);
}

static void test_what_an_earlier_daemon_acknowledged_is_not_read_again(void **state)
{
    struct group_message *message = NULL;

    group_load_ack(core, &work, 3);
    group_load_ack(core, &work, 4);
    read_one(2, 0);
    assert_int_equal(group_read(core, &work, 3, 0, 10, &message), 0);
    assert_int_equal(group_floor(&work), 1);
    end(group_find(&work, 2));
    assert_int_equal(group_floor(&work), 3);
    assert_int_equal(group_read(core, &work, 4, 0, 10, &message), 0);
    assert_int_equal(group_floor(&work), 4);
    read_one(5, 0);
}

static void test_a_seek_goes_back_and_forgets_acknowledgements(void **state)
{
    group_load_ack(core, &work, 3);
    end(read_one(2, 0));
    end(read_one(5, 0));
    group_seek(&work, 1);
    read_one(3, 0);
    assert_int_equal(group_floor(&work), 2);
}

/* ---- members ---- */

static void test_who_has_least_is_given_the_next_one(void **state)
{
    group_join(&work, &member[0], 10);
    group_join(&work, &member[1], 10);
    for (uint64_t i = 1; i <= 4; i++) {
        read_one(i, 0);
        assert_int_equal(give(), i);
    }
    assert_int_equal(member[0].out_n, 2);
    assert_int_equal(member[1].out_n, 2);
    end(group_find(&work, 4));
    read_one(5, 0);
    give();
    assert_ptr_equal(group_find(&work, 5)->member, &member[1]);
    group_leave(core, &work, &member[0]);
    group_leave(core, &work, &member[1]);
}

static void test_of_equals_who_waits_longest_is_given_it(void **state)
{
    for (int i = 0; i < 3; i++)
        group_join(&work, &member[i], 10);
    for (uint64_t i = 1; i <= 6; i++) {
        read_one(i, 0);
        give();
        assert_ptr_equal(group_find(&work, i)->member, &member[(i - 1) % 3]);
        end(group_find(&work, i));
    }
    for (int i = 0; i < 3; i++)
        group_leave(core, &work, &member[i]);
}

static void test_nobody_has_more_than_its_capacity(void **state)
{
    group_join(&work, &member[0], 1);
    read_one(1, 0);
    read_one(2, 0);
    assert_int_equal(give(), 1);
    assert_int_equal(give(), 0);
    end(group_find(&work, 1));
    assert_int_equal(give(), 2);
    group_leave(core, &work, &member[0]);
}

static void test_what_a_member_had_comes_first_and_flagged(void **state)
{
    group_join(&work, &member[0], 2);
    for (uint64_t i = 1; i <= 3; i++)
        read_one(i, 0);
    give();
    give();
    group_leave(core, &work, &member[0]);
    group_join(&work, &member[1], 10);
    for (uint64_t i = 1; i <= 3; i++) {
        assert_int_equal(give(), i);
        assert_int_equal(group_find(&work, i)->flags, i < 3 ? VALUE_REDELIVERED : 0);
        assert_int_equal(group_find(&work, i)->tries, i < 3 ? 2 : 1);
    }
    group_leave(core, &work, &member[1]);
}

static void test_a_paused_group_gives_nothing(void **state)
{
    group_join(&work, &member[0], 2);
    read_one(1, 0);
    work.terms.paused = true;
    assert_int_equal(give(), 0);
    assert_false(group_wants(&work));
    work.terms.paused = false;
    assert_int_equal(give(), 1);
    assert_true(group_wants(&work));
    group_leave(core, &work, &member[0]);
}

/* ---- keys ---- */

static void test_the_next_of_a_key_waits_for_the_one_before(void **state)
{
    group_join(&work, &member[0], 10);
    read_one(1, 9);
    read_one(2, 9);
    read_one(3, 9);
    read_one(4, 8);
    assert_int_equal(give(), 1);
    assert_int_equal(give(), 4);
    assert_int_equal(give(), 0);
    end(group_find(&work, 1));
    assert_int_equal(give(), 2);
    group_again(core, group_find(&work, 2), VALUE_RETURNED);
    assert_int_equal(give(), 2);
    end(group_find(&work, 2));
    assert_int_equal(give(), 3);
    group_leave(core, &work, &member[0]);
}

static void test_without_order_keys_do_not_wait(void **state)
{
    work.terms.ordered = false;
    group_join(&work, &member[0], 10);
    read_one(1, 9);
    read_one(2, 9);
    assert_int_equal(give(), 1);
    assert_int_equal(give(), 2);
    group_leave(core, &work, &member[0]);
}

/* ---- room ---- */

static void test_number_size_and_span_bound_what_is_read(void **state)
{
    for (uint64_t i = 1; i <= WINDOW; i++) {
        assert_true(group_has_room(&work));
        read_one(i, 0);
    }
    assert_false(group_has_room(&work));
    end(group_find(&work, 5));
    assert_true(group_has_room(&work));
    work.terms.bytes = 110;
    assert_false(group_has_room(&work));
    work.terms.bytes = 111;
    assert_true(group_has_room(&work));
    work.terms.span = WINDOW;
    assert_false(group_has_room(&work));
}

static void test_one_message_is_read_whatever_its_size(void **state)
{
    work.terms.bytes = 1;
    assert_true(group_has_room(&work));
    read_one(1, 0);
    assert_false(group_has_room(&work));
}

static void test_without_memory_nothing_is_read(void **state)
{
    struct group_message *message = NULL;

    bare_refuses = true;
    assert_int_equal(group_read(core, &work, 1, 5, 10, &message), -ENOMEM);
    bare_refuses = false;
    read_one(1, 5);
}

/* ---- time ---- */

static void test_what_is_not_acknowledged_in_time_goes_to_who_is_free(void **state)
{
    group_join(&work, &member[0], 1);
    group_join(&work, &member[1], 1);
    read_one(1, 0);
    give();
    pass_time(99);
    assert_int_equal(over_sequence, 0);
    pass_time(1);
    assert_int_equal(over_sequence, 1);
    assert_int_equal(give(), 1);
    assert_ptr_equal(group_find(&work, 1)->member, &member[1]);
    assert_int_equal(group_find(&work, 1)->flags, VALUE_REDELIVERED);
    group_leave(core, &work, &member[0]);
    group_leave(core, &work, &member[1]);
}

static void test_more_time_can_be_asked_for(void **state)
{
    group_join(&work, &member[0], 1);
    group_give(core, read_one(1, 0), &member[0]);
    pass_time(60);
    group_extend(core, group_find(&work, 1), 100);
    pass_time(99);
    assert_int_equal(over_sequence, 0);
    pass_time(1);
    assert_int_equal(over_sequence, 1);
    group_leave(core, &work, &member[0]);
}

static void test_what_is_for_later_comes_then(void **state)
{
    group_join(&work, &member[0], 1);
    group_give(core, read_one(1, 0), &member[0]);
    group_later(core, group_find(&work, 1), 500);
    pass_time(499);
    assert_int_equal(give(), 0);
    pass_time(1);
    assert_int_equal(due_n, 1);
    assert_int_equal(give(), 1);
    assert_int_equal(group_find(&work, 1)->tries, 2);
    group_leave(core, &work, &member[0]);
}

static void test_so_many_tries_and_it_is_spent(void **state)
{
    work.terms.tries = 2;
    group_join(&work, &member[0], 1);
    read_one(1, 0);
    give();
    assert_false(group_is_spent(group_find(&work, 1)));
    pass_time(100);
    give();
    assert_true(group_is_spent(group_find(&work, 1)));
    group_leave(core, &work, &member[0]);
}

/* ---- random programs ---- */

enum reference { ABSENT, WAITING, GIVEN, DELAYED, RETURNED, ACKED };

static struct {
    enum reference state;
    uint64_t key;
    int who; /* GIVEN */
    int64_t at_ns;
} model[MESSAGES];
static uint64_t model_last, model_given[MEMBERS], model_ticket;
static bool joined[MEMBERS];

static uint64_t model_open(int who)
{
    uint64_t n = 0;

    for (uint64_t i = group_floor(&work) + 1; i <= model_last; i++)
        n += model[i].state == GIVEN && model[i].who == who;
    return n;
}

/* Its key is free: nobody of it before this one is open. */
static bool may_go(uint64_t sequence)
{
    for (uint64_t i = group_floor(&work) + 1; i < sequence; i++)
        if (model[i].key && model[i].key == model[sequence].key && model[i].state != ACKED)
            return false;
    return true;
}

static bool model_is_next(uint64_t sequence)
{
    for (uint64_t i = group_floor(&work) + 1; i <= model_last; i++) {
        if (i == sequence)
            continue;
        if (model[i].state == RETURNED && (model[sequence].state != RETURNED || i < sequence))
            return false;
    }
    return (model[sequence].state == WAITING || model[sequence].state == RETURNED) && may_go(sequence);
}

static int model_who(void)
{
    int best = -1;

    for (int i = 0; i < MEMBERS; i++) {
        if (!joined[i] || model_open(i) >= member[i].capacity)
            continue;
        if (best < 0 || model_open(i) < model_open(best) ||
            (model_open(i) == model_open(best) && model_given[i] < model_given[best]))
            best = i;
    }
    return best;
}

static void model_back(uint64_t sequence)
{
    if (model[sequence].state == GIVEN)
        model_given[model[sequence].who] = ++model_ticket;
    model[sequence].state = RETURNED;
}

static void random_give(void)
{
    int who = model_who();
    uint64_t sequence = give();

    if (!sequence) {
        for (uint64_t i = group_floor(&work) + 1; who >= 0 && i <= model_last; i++)
            assert_false((model[i].state == WAITING || model[i].state == RETURNED) && may_go(i));
        return;
    }
    assert_true(model_is_next(sequence));
    assert_ptr_equal(group_find(&work, sequence)->member, &member[who]);
    model[sequence].state = GIVEN;
    model[sequence].who = who;
    model[sequence].at_ns = core->now.mono_ns + work.terms.ack_wait_ns;
    model_given[who] = ++model_ticket;
}

static void random_member(void)
{
    int who = (int)bare_draw(MEMBERS);

    joined[who] = !joined[who];
    if (joined[who]) {
        group_join(&work, &member[who], 1 + bare_draw(4));
        model_given[who] = ++model_ticket;
        return;
    }
    while (!list_empty(&member[who].out)) {
        struct group_message *message = list_first(&member[who].out, struct group_message, link);
        model_back(message->sequence);
        group_again(core, message, VALUE_REDELIVERED);
    }
    group_leave(core, &work, &member[who]);
}

static void random_read(void)
{
    if (!group_has_room(&work))
        return;
    model_last++;
    model[model_last].state = WAITING;
    model[model_last].key = bare_draw(KEYS);
    read_one(model_last, model[model_last].key);
}

static void random_end(uint64_t sequence)
{
    struct group_message *message = group_find(&work, sequence);

    assert_int_equal(message != NULL, model[sequence].state != ACKED);
    if (!message)
        return;
    switch (bare_draw(4)) {
    case 0:
        if (message->state == GROUP_OUT) {
            group_later(core, message, 50);
            model[sequence].state = DELAYED;
            model[sequence].at_ns = core->now.mono_ns + 50;
        }
        return;
    case 1:
        if (message->state == GROUP_OUT) {
            group_again(core, message, VALUE_RETURNED);
            model_back(sequence);
        }
        return;
    default:
        end(message);
        model[sequence].state = ACKED;
    }
}

static void model_over(struct core *in, struct group_message *message)
{
    assert_true(model[message->sequence].state == GIVEN &&
                model[message->sequence].at_ns == core->now.mono_ns);
    model_back(message->sequence);
    group_again(in, message, VALUE_REDELIVERED);
}

static void model_due(struct core *in, struct group_work *of)
{
    for (uint64_t i = group_floor(of) + 1; i <= model_last; i++) {
        if (model[i].state != DELAYED || group_find(of, i)->state != GROUP_AGAIN)
            continue;
        assert_true(model[i].at_ns == in->now.mono_ns);
        model_back(i);
    }
}

static void random_step(void)
{
    uint64_t floor = group_floor(&work);
    uint64_t kind = bare_draw(20);

    if (kind < 6)
        random_read();
    else if (kind < 12)
        random_give();
    else if (kind < 17 && model_last > floor)
        random_end(floor + 1 + bare_draw(model_last - floor));
    else if (kind < 18)
        random_member();
    else
        pass_time(1);
}

static void test_random_programs_agree_with_a_table(void **state)
{
    work.over = model_over;
    work.due = model_due;
    for (int i = 0; i < STEPS; i++) {
        uint64_t floor = group_floor(&work);

        random_step();
        group_work_check(&work);
        assert_true(group_floor(&work) >= floor);
        assert_true(group_floor(&work) == model_last || model[group_floor(&work) + 1].state != ACKED);
    }
    for (int i = 0; i < MEMBERS; i++)
        if (joined[i])
            group_leave(core, &work, &member[i]);
    assert_true(model_last > 1000);
}

#define WORK_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORK_TEST(test_the_floor_is_below_the_first_open_message),
        WORK_TEST(test_what_an_earlier_daemon_acknowledged_is_not_read_again),
        WORK_TEST(test_a_seek_goes_back_and_forgets_acknowledgements),
        WORK_TEST(test_who_has_least_is_given_the_next_one),
        WORK_TEST(test_of_equals_who_waits_longest_is_given_it),
        WORK_TEST(test_nobody_has_more_than_its_capacity),
        WORK_TEST(test_what_a_member_had_comes_first_and_flagged),
        WORK_TEST(test_a_paused_group_gives_nothing),
        WORK_TEST(test_the_next_of_a_key_waits_for_the_one_before),
        WORK_TEST(test_without_order_keys_do_not_wait),
        WORK_TEST(test_number_size_and_span_bound_what_is_read),
        WORK_TEST(test_one_message_is_read_whatever_its_size),
        WORK_TEST(test_without_memory_nothing_is_read),
        WORK_TEST(test_what_is_not_acknowledged_in_time_goes_to_who_is_free),
        WORK_TEST(test_more_time_can_be_asked_for),
        WORK_TEST(test_what_is_for_later_comes_then),
        WORK_TEST(test_so_many_tries_and_it_is_spent),
        WORK_TEST(test_random_programs_agree_with_a_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
