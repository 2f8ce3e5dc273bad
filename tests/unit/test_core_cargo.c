/* Channels inside values: U6, with IP1 to IP4 for what a value carries. */
#include "core_fixture.h"

static struct rig *rig;
static struct client *a, *b, *c;
static uint64_t ha, hb, hc; /* the channel "x" of each */

static void open_all(uint64_t capacity, uint32_t flags, uint32_t full)
{
    ha = chan_flags(a, "x", capacity, flags, full);
    hb = chan_flags(b, "x", capacity, flags, full);
    hc = chan_flags(c, "x", capacity, flags, full);
}

static void begin(struct rig *fresh)
{
    rig = fresh;
    a = client_new(rig);
    b = client_new(rig);
    c = client_new(rig);
}

static int setup(void **state)
{
    begin(rig_new());
    open_all(4, 0, FULL_BLOCK);
    return 0;
}

static int teardown(void **state)
{
    rig_delete(rig);
    return 0;
}

static void restart(uint64_t capacity, uint32_t flags, uint32_t full)
{
    rig_delete(rig);
    begin(rig_new());
    open_all(capacity, flags, full);
}

static uint64_t channels(void)
{
    rig_sweep(rig);
    return rig_stat(rig, "channels");
}

static uint64_t drop(struct client *who, uint64_t handle)
{
    return client_do(who, (struct request){.verb = VERB_CHAN_DROP, .chan_drop = {handle}});
}

static uint64_t open_with(struct client *who, const char *name, uint32_t rights)
{
    struct request_chan_open open = {.name = {name, strlen(name)}, .rights = rights};

    return got(who, client_do(who, (struct request){.verb = VERB_CHAN_OPEN, .chan_open = open}))->handle;
}

static uint64_t pass(uint64_t handle, uint32_t rights)
{
    return send_carrying(a, ha, "v", &(struct passed){handle, rights}, 1);
}

/* An anonymous channel goes into x, and the sender keeps nothing of it. */
static void pass_only(void)
{
    uint64_t y = chan(a, NULL, 2);

    assert_status(a, pass(y, 0), 1);
    assert_status(a, drop(a, y), 0);
}

static uint64_t carried(struct client *who, uint64_t op)
{
    struct got *g = got(who, op);

    assert_non_null(g);
    assert_int_equal(g->value[0].handles_n, 1);
    return g->value[0].handle[0].handle;
}

/* ---- what is received ---- */

static void test_U6_a_handle_is_received_with_the_rights_it_was_sent_with(void **state)
{
    uint64_t y = chan(a, NULL, 2);
    pass(y, RIGHT_SEND);
    uint64_t r = recv1(b, hb), got_it = carried(b, r);
    assert_int_equal(got(b, r)->value[0].handle[0].rights, RIGHT_SEND);
    assert_status(b, send1(b, got_it, "answer"), 1);
    assert_status(b, recv1(at_once(b), got_it), -EPERM);
    assert_status(b, chan_close(b, got_it), -EPERM);
    assert_values(a, recv1(a, y), "answer ");
}

static void test_U6_nobody_passes_a_right_he_has_not(void **state)
{
    chan(b, "y", 2);
    uint64_t y = open_with(a, "y", RIGHT_SEND);
    assert_status(a, pass(y, RIGHT_RECV), -EPERM);
    assert_status(a, pass(y, RIGHT_ALL), -EPERM);
    assert_int_equal(info(a, ha).length, 0);
    pass(y, 0);
    uint64_t r = recv1(b, hb);
    assert_int_equal(got(b, r)->value[0].handle[0].rights, RIGHT_SEND);
}

static void test_U6_what_is_not_the_senders_cannot_be_passed(void **state)
{
    assert_status(a, pass(hb, 0), -ENOENT);
    assert_status(a, pass(12345, 0), -ENETRESET);
    assert_int_equal(info(a, ha).length, 0);
    assert_int_equal(channels(), 1);
}

static void test_U6_the_value_keeps_its_channel_when_the_sender_has_let_go(void **state)
{
    pass_only();
    assert_int_equal(channels(), 2);
    client_die(a);
    uint64_t r = recv1(b, hb), y = carried(b, r);
    ack(b, r, 0);
    assert_status(b, send1(b, y, "v"), 1);
    r = recv1(b, y);
    assert_values(b, r, "v ");
    ack(b, r, 0);
    assert_int_equal(info(b, y).handles, 1);
    drop(b, y);
    assert_int_equal(channels(), 1);
}

static void test_U6_a_handle_in_a_value_is_counted_and_nobodys(void **state)
{
    uint64_t y = chan(a, NULL, 2);
    pass(y, 0);
    assert_int_equal(info(a, y).handles, 2);
    for (uint64_t guess = y - 3; guess < y + 4; guess++)
        if (guess != y && guess != ha)
            assert_status(a, send1(at_once(a), guess, "v"), -ENOENT);
}

static void test_U6_nil_is_received_as_nil_and_order_is_kept(void **state)
{
    uint64_t y = chan(a, "y", 2);
    struct passed two[] = {{0, 0}, {y, RIGHT_RECV}};
    send_carrying(a, ha, "v", two, 2);
    struct got *g = got(b, recv1(b, hb));
    assert_int_equal(g->value[0].handles_n, 2);
    assert_int_equal(g->value[0].handle[0].handle, 0);
    assert_int_equal(g->value[0].handle[1].rights, RIGHT_RECV);
}

static void test_U6_cases_of_a_select_carry_channels(void **state)
{
    uint64_t y = chan(a, "y", 2);
    struct passed passed = {y, 0};
    struct select_case send = {
        .kind = CASE_SEND, .handle = ha, .value = {.body = {"v", 1}, .handles = &passed, .handles_n = 1}};
    assert_status(a, select_of(a, &send, 1), 1);
    uint64_t s = SELECT(b, CASE_R(hb));
    assert_status(b, send1(b, carried(b, s), "w"), 1);
    assert_values(a, recv1(a, y), "w ");
}

static void test_U6_a_repeated_result_names_the_same_handles(void **state)
{
    pass_only();
    uint64_t r = recv1(b, hb), first = carried(b, r);
    client_cut(b);
    client_resume(b, r, (uint64_t)0);
    assert_int_equal(carried(b, r), first);
}

static void test_U6_more_than_the_limit_is_too_big(void **state)
{
    struct passed many[17];
    for (int i = 0; i < 17; i++)
        many[i] = (struct passed){ha, 0};
    assert_status(a, send_carrying(a, ha, "v", many, 17), -E2BIG);
    assert_int_equal(info(a, ha).handles, 3);
    assert_status(a, send_carrying(a, ha, "v", many, 16), 1);
    assert_int_equal(info(a, ha).handles, 19);
}

static void test_U6_what_a_value_carries_is_charged_to_the_sender(void **state)
{
    struct limits limits = LIMITS_DEFAULT;
    rig_delete(rig);
    limits.account_bytes_max = 512;
    begin(rig_with(&limits, 42));
    open_all(9, 0, FULL_BLOCK);
    struct passed many[8];
    for (int i = 0; i < 8; i++)
        many[i] = (struct passed){ha, 0};
    assert_status(a, send1(a, ha, "v"), 1);
    assert_status(a, send_carrying(a, ha, "v", many, 8), -ENOBUFS);
    assert_int_equal(info(a, ha).handles, 3);
}

/* ---- what goes back ---- */

static void test_IP3_the_next_receiver_gets_the_channels_of_a_dead_one(void **state)
{
    pass_only();
    uint64_t r = recv1(b, hb), theirs = carried(b, r);
    send1(b, theirs, "half done");
    client_die(b);
    uint64_t again = recv1(c, hc), mine = carried(c, again);
    assert_int_equal(got(c, again)->value[0].flags, VALUE_REDELIVERED);
    assert_int_not_equal(mine, theirs);
    r = recv1(c, mine);
    assert_values(c, r, "half done ");
    ack(c, r, 0);
    ack(c, again, 0);
    drop(c, mine);
    assert_int_equal(channels(), 1);
}

static void test_IP3_a_channel_that_was_dropped_before_the_ack_goes_back_too(void **state)
{
    pass_only();
    uint64_t r = recv1(b, hb), y = carried(b, r);
    assert_status(b, drop(b, y), 0);
    assert_status(b, send1(at_once(b), y, "v"), -ENOENT);
    assert_int_equal(channels(), 2);
    client_die(b);
    uint64_t again = recv1(c, hc);
    assert_status(c, send1(c, carried(c, again), "v"), 1);
}

static void test_U6_a_channel_dropped_before_the_ack_is_released_by_it(void **state)
{
    pass_only();
    uint64_t r = recv1(b, hb);
    drop(b, carried(b, r));
    ack(b, r, 0);
    assert_int_equal(channels(), 1);
}

static void test_IP1_2_a_returned_value_takes_its_channels_back(void **state)
{
    pass_only();
    uint64_t r = recv1(b, hb), y = carried(b, r), waits = recv1(b, y);
    give_back(b, r, 0);
    assert_status(b, waits, -ECANCELED);
    assert_status(b, send1(at_once(b), y, "v"), -ENOENT);
    uint64_t again = recv1(b, hb);
    assert_int_equal(got(b, again)->value[0].flags, VALUE_RETURNED);
    assert_int_not_equal(carried(b, again), y);
    assert_status(b, send1(b, carried(b, again), "v"), 1);
}

static void test_IP2_2_an_undone_hand_over_takes_the_channels_along(void **state)
{
    restart(0, 0, FULL_BLOCK);
    uint64_t y = chan(a, NULL, 2), s = pass(y, 0), r = recv1(b, hb);
    recv1(b, carried(b, r)); /* waits through it when its scope ends */
    client_die(b);
    assert_waits(a, s);
    uint64_t again = recv1(c, hc);
    assert_status(c, send1(c, carried(c, again), "answer"), 1);
    ack(c, again, 0);
    assert_status(a, s, 1);
    assert_values(a, recv1(a, y), "answer ");
    rig_sweep(rig);
}

/* ---- what nobody takes ---- */

static void test_U6_a_value_that_drop_oldest_throws_away_releases_its_channels(void **state)
{
    restart(1, 0, FULL_DROP_OLDEST);
    pass_only();
    assert_int_equal(channels(), 2);
    assert_status(a, send1(a, ha, "newer"), 1);
    assert_int_equal(channels(), 1);
}

static void test_U6_a_value_that_drop_newest_refuses_releases_its_channels(void **state)
{
    restart(1, 0, FULL_DROP_NEWEST);
    send1(a, ha, "older");
    pass_only();
    assert_int_equal(channels(), 1);
}

static void test_IP3_at_most_once_releases_with_the_value(void **state)
{
    restart(2, OPEN_AT_MOST_ONCE, FULL_BLOCK);
    pass_only();
    recv1(b, hb);
    client_die(b);
    assert_int_equal(channels(), 1);
}

static void test_IP4_a_send_withdrawn_by_death_releases_its_channels(void **state)
{
    restart(0, 0, FULL_BLOCK);
    uint64_t y = chan(a, NULL, 2);
    pass(y, 0);
    assert_int_equal(channels(), 2);
    client_die(a);
    assert_int_equal(channels(), 1);
}

static void test_U6_a_send_that_fails_half_way_leaves_nothing(void **state)
{
    uint64_t y = chan(a, NULL, 2);
    struct passed two[] = {{y, 0}, {12345, 0}};
    assert_status(a, send_carrying(a, ha, "v", two, 2), -ENETRESET);
    rig_sweep(rig);
    assert_int_equal(info(a, y).handles, 1);
}

static void test_U6_a_long_chain_of_channels_in_channels_goes_in_turns(void **state)
{
    enum { LINKS = 200 };
    struct limits limits = LIMITS_DEFAULT;
    rig_delete(rig);
    limits.sweep_per_turn = 16;
    begin(rig_with(&limits, 42));
    open_all(4, 0, FULL_BLOCK);
    uint64_t inner = chan(a, NULL, 1);
    for (int i = 0; i < LINKS; i++) {
        uint64_t outer = chan(a, NULL, 1);
        send_carrying(a, outer, "", &(struct passed){inner, 0}, 1);
        drop(a, inner);
        inner = outer;
    }
    assert_int_equal(channels(), LINKS + 2);
    drop(a, inner);
    assert_true(rig->out.wake_ns <= rig->now.mono_ns); /* not all in one turn */
    assert_int_equal(channels(), 1);
}

static void test_U6_a_channel_that_holds_itself_goes_with_its_last_handle(void **state)
{
    uint64_t y = chan(a, NULL, 1);
    send_carrying(a, y, "", &(struct passed){y, 0}, 1);
    assert_int_equal(channels(), 2);
    drop(a, y);
    assert_int_equal(channels(), 1);
}

static void test_U6_a_ring_of_channels_goes_with_its_last_handle_only(void **state)
{
    uint64_t y = chan(a, NULL, 1), z = chan(a, NULL, 1), w = chan(a, NULL, 1);
    send_carrying(a, y, "", &(struct passed){z, 0}, 1);
    send_carrying(a, z, "", &(struct passed){w, 0}, 1);
    send_carrying(a, w, "", &(struct passed){y, 0}, 1);
    drop(a, y);
    drop(a, z);
    assert_int_equal(channels(), 4);
    uint64_t r = recv1(a, w), back = carried(a, r);
    assert_int_equal(info(a, back).length, 1);
    give_back(a, r, 0);
    drop(a, w);
    assert_int_equal(channels(), 1);
}

static void test_U6_a_ring_too_large_for_one_look_is_found_later(void **state)
{
    enum { RING = 12 };
    struct limits limits = LIMITS_DEFAULT;
    uint64_t ring[RING];
    rig_delete(rig);
    limits.sweep_per_turn = 2;
    begin(rig_with(&limits, 42));
    open_all(4, 0, FULL_BLOCK);
    for (int i = 0; i < RING; i++)
        ring[i] = chan(a, NULL, 9);
    for (int i = 0; i < RING; i++)
        for (int k = 1; k <= 3; k++)
            send_carrying(a, ring[i], "", &(struct passed){ring[(i + k) % RING], 0}, 1);
    for (int i = 0; i < RING; i++)
        drop(a, ring[i]);
    assert_int_equal(channels(), 1);
}

static void test_U6_channels_in_values_have_a_limit_per_user(void **state)
{
    struct limits limits = LIMITS_DEFAULT;
    rig_delete(rig);
    limits.passed_max = 3;
    begin(rig_with(&limits, 42));
    open_all(4, 0, FULL_BLOCK);
    struct passed two[] = {{ha, 0}, {ha, 0}};
    assert_status(a, send_carrying(a, ha, "1", two, 2), 1);
    assert_status(a, send_carrying(a, ha, "2", two, 2), -ENOBUFS);
    assert_status(a, pass(ha, 0), 1);
    uint64_t r = recv1(b, hb);
    assert_status(a, pass(ha, 0), -ENOBUFS);
    ack(b, r, 0);
    assert_status(a, send_carrying(a, ha, "3", two, 2), 1);
}

static void test_U6_whoever_has_too_many_handles_receives_no_more_until_it_drops_some(void **state)
{
    struct limits limits = LIMITS_DEFAULT;
    rig_delete(rig);
    limits.handles_per_session = 3;
    begin(rig_with(&limits, 42));
    open_all(4, 0, FULL_BLOCK);
    uint64_t y = chan(a, NULL, 1), first = recv1(b, hb);
    struct passed three[] = {{y, 0}, {y, 0}, {y, 0}};
    send_carrying(a, ha, "1", three, 3);
    uint64_t more = recv1(b, hb);
    assert_values(b, first, "1 ");
    assert_status(b, more, -ENOBUFS);
    uint64_t waits = recv1(c, hc);
    send1(a, ha, "2");
    assert_values(c, waits, "2 ");
    ack(b, first, 0);
    drop(b, got(b, first)->value[0].handle[0].handle);
    send1(a, ha, "3");
    assert_values(b, recv1(b, hb), "3 ");
}

/* ---- memory ---- */

static void exchange(void)
{
    uint64_t y = chan(a, NULL, 1), z = chan(a, NULL, 1);
    struct passed two[] = {{y, RIGHT_SEND}, {z, 0}};
    send_carrying(a, ha, "v", two, 2);
    uint64_t r = recv1(b, hb);
    struct got *g = got(b, r);
    if (g && g->value[0].handles_n)
        send1(b, g->value[0].handle[0].handle, "w");
    client_die(b);
    r = recv1(c, hc);
    ack(c, r, 0);
    client_die(a);
    rig_after(rig, 10 * MS);
}

static void test_U6_memory_that_fails_leaves_no_half_change(void **state)
{
    for (long n = 0, made = 1000; n < made; n++) {
        restart(4, 0, FULL_BLOCK);
        long before = rig->allocs;
        rig->fail_from = before + n;
        rig->fail_to = before + n + 1;
        exchange();
        made = rig->allocs - before;
        rig->fail_to = 0;
        client_die(c);
        struct client *d = client_new(rig); /* whatever is left in x */
        uint64_t handle = chan(d, "x", 4);
        ack(d, recv_many(at_once(d), handle, 9), 0);
        client_die(d);
        rig_sweep(rig);
        assert_int_equal(rig_stat(rig, "handles"), 0);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_U6_a_handle_is_received_with_the_rights_it_was_sent_with),
        TEST(test_U6_nobody_passes_a_right_he_has_not),
        TEST(test_U6_what_is_not_the_senders_cannot_be_passed),
        TEST(test_U6_the_value_keeps_its_channel_when_the_sender_has_let_go),
        TEST(test_U6_a_handle_in_a_value_is_counted_and_nobodys),
        TEST(test_U6_nil_is_received_as_nil_and_order_is_kept),
        TEST(test_U6_cases_of_a_select_carry_channels),
        TEST(test_U6_a_repeated_result_names_the_same_handles),
        TEST(test_U6_more_than_the_limit_is_too_big),
        TEST(test_U6_what_a_value_carries_is_charged_to_the_sender),
        TEST(test_IP3_the_next_receiver_gets_the_channels_of_a_dead_one),
        TEST(test_IP3_a_channel_that_was_dropped_before_the_ack_goes_back_too),
        TEST(test_U6_a_channel_dropped_before_the_ack_is_released_by_it),
        TEST(test_IP1_2_a_returned_value_takes_its_channels_back),
        TEST(test_IP2_2_an_undone_hand_over_takes_the_channels_along),
        TEST(test_U6_a_value_that_drop_oldest_throws_away_releases_its_channels),
        TEST(test_U6_a_value_that_drop_newest_refuses_releases_its_channels),
        TEST(test_IP3_at_most_once_releases_with_the_value),
        TEST(test_IP4_a_send_withdrawn_by_death_releases_its_channels),
        TEST(test_U6_a_send_that_fails_half_way_leaves_nothing),
        TEST(test_U6_a_long_chain_of_channels_in_channels_goes_in_turns),
        TEST(test_U6_a_channel_that_holds_itself_goes_with_its_last_handle),
        TEST(test_U6_a_ring_of_channels_goes_with_its_last_handle_only),
        TEST(test_U6_a_ring_too_large_for_one_look_is_found_later),
        TEST(test_U6_channels_in_values_have_a_limit_per_user),
        TEST(test_U6_whoever_has_too_many_handles_receives_no_more_until_it_drops_some),
        TEST(test_U6_memory_that_fails_leaves_no_half_change),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
