/* Groups (IP16): who is given what, what an acknowledgement settles, what comes again, and what outlives the daemon. */
#include "group_fixture.h"

/* ---- giving ---- */

static void test_IP16_1_a_group_is_made_by_its_first_member_and_joined_by_others(void **state)
{
    uint64_t x = join(a, 9);
    assert_true(x && join(b, 9));
    assert_int_equal(the_group()->work.members_n, 2);
    join_with(b, "g", "k.x", 9, "", FROM_NEW);
    assert_status(b, b->op, -EEXIST);
    assert_non_null(strstr(got(b, b->op)->text, "reads k.>"));
    join_with(b, "bad name", "k.x", 9, "", FROM_NEW);
    assert_status(b, b->op, -EINVAL);
    join_with(b, "h", "k.x", 9, "window=0", FROM_NEW);
    assert_status(b, b->op, -EINVAL);
    assert_non_null(strstr(got(b, b->op)->text, "'window=0' is not a number of messages"));
    d->rig->core->limits.groups_max = 1;
    join_with(b, "h", "k.x", 9, "", FROM_NEW);
    assert_status(b, b->op, -ENOBUFS);
}

static void test_IP16_2_each_message_is_given_to_one_member(void **state)
{
    uint64_t x = join(a, 9), y = join(b, 9);

    published(a, "k.x", "1 2 3 4");
    assert_string_equal(taken(a, takes(a, x, 9)), "1 3 ");
    assert_string_equal(taken(b, takes(b, y, 9)), "2 4 ");
}

static void test_IP16_2_a_member_has_no_more_than_its_capacity(void **state)
{
    uint64_t x = join(a, 2), op;

    published(b, "k.x", "1 2 3");
    op = takes(a, x, 9);
    assert_string_equal(taken(a, op), "1 2 ");
    assert_string_equal(taken(a, takes(a, x, 9)), "");
    acked(a, op, 1);
    assert_string_equal(taken(a, takes(a, x, 9)), "3 ");
}

static void test_IP16_8_no_window_is_larger_than_the_daemon_lets_it_be(void **state)
{
    d->rig->core->limits.group_window_max = 2;
    uint64_t x = join(a, 9);

    published(b, "k.x", "1 2 3");
    assert_string_equal(taken(a, takes(a, x, 9)), "1 2 ");
}

static void test_IP16_2_all_together_have_no_more_than_the_window(void **state)
{
    d->rig->core->limits.group_window_max = 3;
    uint64_t x = join_with(a, "g", "k.>", 9, "window=100", FROM_NEW),
             y = join_with(a, "h", "k.>", 9, "window=2", FROM_NEW);

    published(b, "k.x", "1 2 3 4");
    assert_string_equal(taken(a, takes(a, x, 9)), "1 2 3 ");
    assert_string_equal(taken(a, takes(a, y, 9)), "1 2 ");
}

static void test_IP16_2_who_waits_receives_what_is_published(void **state)
{
    uint64_t x = join(a, 9), op = recv_many(a, x, 5);

    published(b, "k.x", "1 2");
    assert_values(a, op, "1 2 ");
    assert_int_equal(got(a, op)->value[0].flags, 0);
}

static void test_IP16_2_a_group_begins_where_it_is_made_to(void **state)
{
    published(a, "k.x", "1 2 3");
    uint64_t x = join_with(a, "all", "k.>", 9, "", FROM_START),
             y = join_with(a, "new", "k.>", 9, "", FROM_NEW),
             z = join_with(a, "two", "k.>", 9, "from=2", FROM_NEW);
    assert_string_equal(taken(a, takes(a, x, 9)), "1 2 3 ");
    assert_string_equal(taken(a, takes(a, y, 9)), "");
    assert_string_equal(taken(a, takes(a, z, 9)), "2 3 ");
}

static void test_IP16_3_messages_of_a_key_wait_for_each_other(void **state)
{
    struct outgoing m[] = {{.value.body = {"1", 1}, .key = {"p", 1}},
                           {.value.body = {"2", 1}, .key = {"p", 1}},
                           {.value.body = {"3", 1}, .key = {"q", 1}}};
    uint64_t x = join_with(a, "g", "k.>", 9, "ordered=yes", FROM_NEW), op;

    client_do(b, (struct request){.verb = VERB_PUBLISH,
                                  .publish = {.topic = {"k.x", 3}, .messages = m, .messages_n = 3}});
    stored(d);
    op = takes(a, x, 9);
    assert_string_equal(taken(a, op), "1 3 ");
    acked(a, op, 1);
    assert_string_equal(taken(a, takes(a, x, 9)), "2 ");
}

/* ---- what comes back ---- */

static void test_IP16_4_what_is_given_back_comes_at_once_and_flagged(void **state)
{
    uint64_t x = join(a, 9), op;

    published(b, "k.x", "1 2");
    op = takes(a, x, 2);
    give_back(a, op, 1);
    stored(d);
    op = takes(a, x, 9);
    assert_string_equal(taken(a, op), "2 ");
    assert_int_equal(got(a, op)->value[0].flags, VALUE_RETURNED);
    assert_int_equal(the_group()->work.open_n, 1);
}

static void test_IP16_4_what_a_dead_member_had_goes_to_others(void **state)
{
    uint64_t x = join(a, 9), y, op;

    published(b, "k.x", "1 2 3");
    takes(a, x, 2);
    y = join(b, 9);
    client_die(a);
    stored(d);
    op = takes(b, y, 9);
    assert_string_equal(taken(b, op), "1 2 3 ");
    assert_int_equal(got(b, op)->value[1].flags, VALUE_REDELIVERED);
    assert_int_equal(got(b, op)->value[2].flags, 0);
}

static void
test_IP16_4_after_ack_wait_it_goes_to_whoever_is_free_and_a_late_acknowledgement_counts(void **state)
{
    uint64_t x = join_with(a, "g", "k.>", 1, "ack_wait=1000", FROM_NEW), y, first, second;

    published(b, "k.x", "1");
    first = takes(a, x, 1);
    y = join(b, 1);
    kept_after(SECOND);
    second = takes(b, y, 1);
    assert_string_equal(taken(b, second), "1 ");
    assert_int_equal(got(b, second)->value[0].flags, VALUE_REDELIVERED);
    acked(a, first, 1);
    assert_int_equal(the_group()->work.open_n, 0);
    acked(b, second, 1);
    kept_after(SECOND);
    assert_string_equal(taken(a, takes(a, x, 1)), "");
}

static void test_IP16_4_what_nobody_received_is_given_to_others_as_new(void **state)
{
    uint64_t x = join_with(a, "g", "k.>", 1, "ack_wait=1000", FROM_NEW), y, op;

    published(b, "k.x", "1");
    y = join(b, 1);
    kept_after(SECOND);
    op = takes(b, y, 1);
    if (status_of(b, op) < 0)
        op = takes(a, x, 1);
    stored(d);
    assert_int_equal(the_group()->redelivered, 0);
    assert_int_equal(the_group()->work.open_n, 1);
}

static void test_IP16_5_after_so_many_tries_a_message_is_a_dead_letter(void **state)
{
    uint64_t x = join_with(a, "g", "k.x", 9, "tries=2 dead=k.dead", FROM_NEW), dead = replay_all(b, "k.dead"),
             op;

    published(b, "k.x", "1");
    for (int i = 0; i < 2; i++) {
        op = takes(a, x, 1);
        assert_string_equal(taken(a, op), "1 ");
        give_back(a, op, 0);
        stored(d);
    }
    assert_string_equal(taken(a, takes(a, x, 1)), "");
    assert_int_equal(the_group()->dead, 1);
    assert_int_equal(the_group()->work.open_n, 0);
    op = takes(b, dead, 1);
    assert_string_equal(taken(b, op), "1 ");
    assert_int_equal(info_of(a, "k.dead").messages, 1);
}

static void test_IP16_5_a_member_settles_what_it_has(void **state)
{
    uint64_t x = join_with(a, "g", "k.>", 9, "ack_wait=1000", FROM_NEW), op;

    published(b, "k.x", "1 2 3");
    op = takes(a, x, 3);
    assert_status(a, settle(a, x, 1, SETTLE_RETRY, 5 * (int64_t)SECOND), 1);
    assert_status(a, settle(a, x, 2, SETTLE_DEAD, 0), 1);
    assert_status(a, settle(a, x, 3, SETTLE_EXTEND, 3 * (int64_t)SECOND), 1);
    assert_status(a, settle(a, x, 4, SETTLE_DEAD, 0), 0);
    assert_status(a, settle(a, x, 3, 9, 0), -EINVAL);
    acked(a, op, 2); /* of what was settled it says nothing */
    assert_int_equal(the_group()->work.open_n, 2);
    kept_after(2 * (int64_t)SECOND);
    assert_string_equal(taken(a, takes(a, x, 9)), "");
    kept_after(3 * (int64_t)SECOND);
    assert_string_equal(taken(a, takes(a, x, 9)), "1 3 ");
    assert_int_equal(the_group()->dead, 1);
}

/* Two seconds apart each, and nobody receives for longer than they have. */
static void test_IP16_2_who_is_late_to_receive_has_them_in_order(void **state)
{
    uint64_t x = join_with(a, "g", "k.>", 9, "ack_wait=3000", FROM_NEW);

    published(b, "k.x", "1");
    kept_after(2 * (int64_t)SECOND);
    published(b, "k.x", "2");
    kept_after(2 * (int64_t)SECOND);
    published(b, "k.x", "3");
    assert_string_equal(taken(a, takes(a, x, 9)), "1 2 3 ");
    assert_int_equal(the_group()->redelivered, 0);
}

static void test_IP16_4_the_time_to_acknowledge_begins_when_it_is_received(void **state)
{
    uint64_t x = join_with(a, "g", "k.>", 9, "ack_wait=3000", FROM_NEW), op;

    published(b, "k.x", "1");
    kept_after(2 * (int64_t)SECOND);
    op = takes(a, x, 9);
    kept_after(2 * (int64_t)SECOND);
    assert_string_equal(taken(a, takes(a, x, 9)), "");
    kept_after(SECOND);
    assert_string_equal(taken(a, takes(a, x, 9)), "1 ");
    acked(a, op, 1);
}

static void test_IP16_7_what_was_late_before_a_seek_counts_no_more(void **state)
{
    uint64_t x = join_with(a, "g", "k.>", 1, "ack_wait=1000", FROM_NEW), y, op;

    published(b, "k.x", "1");
    op = takes(a, x, 1);
    y = join(b, 1);
    kept_after(SECOND);
    takes(b, y, 1);
    ask_set(b, "g", "from=start");
    acked(a, op, 1);
    assert_int_equal(the_group()->work.open_n, 1);
}

static void test_IP16_1_a_group_whose_first_member_is_refused_is_not_there(void **state)
{
    d->rig->core->limits.subscriptions_max = 0;
    join(a, 9);
    assert_status(a, a->op, -ENOBUFS);
    assert_null(the_group());
    kept_restart();
    assert_null(the_group());
}

static void test_IP16_5_dead_letters_do_not_come_back_to_the_group(void **state)
{
    join_with(a, "g", "k.>", 9, "tries=2 dead=k.dead", FROM_NEW);
    assert_status(a, a->op, -EINVAL);
    join(a, 9);
    assert_status(a, ask_set(a, "g", "dead=k.dead"), -EINVAL);
}

static void test_IP16_8_a_group_goes_on_when_the_user_of_its_member_has_room_again(void **state)
{
    uint64_t x = join(a, 9), op = recv_many(a, x, 9);

    d->rig->core->limits.account_bytes_max = 1;
    publish(b, "k.x", "1"); /* refused */
    d->rig->core->limits.account_bytes_max = 1 << 20;
    publish(b, "k.x", "1 2");
    d->rig->core->limits.account_bytes_max = 1;
    stored(d);
    assert_waits(a, op);
    d->rig->core->limits.account_bytes_max = 1 << 20;
    kept_after(SECOND);
    assert_values(a, op, "1 ");
    assert_string_equal(taken(a, takes(a, x, 9)), "2 ");
}

/* ---- the daemon ends ---- */

static void test_IP16_6_acknowledgements_outlive_the_daemon_and_what_was_seen_is_flagged(void **state)
{
    uint64_t x = join(a, 2), op;

    published(b, "k.x", "1 2 3 4");
    op = takes(a, x, 2);
    acked(a, op, 1);
    op = takes(a, x, 2); /* the third */
    acked(a, op, 1);
    takes(a, x, 2); /* the fourth */
    kept_restart();
    x = join(a, 9);
    op = takes(a, x, 9);
    assert_string_equal(taken(a, op), "2 4 ");
    assert_int_equal(got(a, op)->value[0].flags, VALUE_REDELIVERED);
    published(b, "k.x", "5");
    op = takes(a, x, 9);
    assert_string_equal(taken(a, op), "5 ");
    assert_int_equal(got(a, op)->value[0].flags, 0);
}

static void test_IP16_6_nothing_is_received_before_the_store_knows(void **state)
{
    uint64_t x = join(a, 2), op;

    published(b, "k.x", "1");
    op = recv_many(a, x, 1);
    assert_waits(a, op);
    stored(d);
    assert_values(a, op, "1 ");
}

static void test_IP16_6_tries_and_settings_outlive_the_daemon(void **state)
{
    uint64_t x = join_with(a, "g", "k.>", 9, "tries=2", FROM_NEW), op;

    published(b, "k.x", "1");
    op = takes(a, x, 1);
    give_back(a, op, 0);
    stored(d);
    takes(a, x, 1);
    kept_restart();
    assert_int_equal(the_group()->part.policy.tries, 2);
    x = join(a, 9);
    assert_string_equal(taken(a, takes(a, x, 9)), "1 ");
    kept_restart();
    assert_int_equal(the_group()->work.terms.tries, 2);
}

/* ---- GROUP_SET, GROUP_LIST, GROUP_REMOVE ---- */

static void test_IP16_7_a_paused_group_gives_nothing(void **state)
{
    uint64_t x = join(a, 9);

    assert_status(b, ask_set(b, "g", "paused=yes"), 0);
    published(b, "k.x", "1");
    assert_string_equal(taken(a, takes(a, x, 1)), "");
    kept_restart();
    x = join(a, 9);
    assert_string_equal(taken(a, takes(a, x, 1)), "");
    ask_set(b, "g", "paused=");
    assert_string_equal(taken(a, takes(a, x, 1)), "1 ");
    assert_status(b, ask_set(b, "nobody", "paused="), -ENOENT);
    assert_status(b, ask_set(b, "g", "paused=maybe"), -EINVAL);
}

static void test_IP16_7_a_group_is_sent_elsewhere(void **state)
{
    uint64_t x = join(a, 9), op;

    published(b, "k.x", "1 2 3");
    op = takes(a, x, 2);
    ask_set(b, "g", "from=2");
    acked(a, op, 2); /* of what it was given before */
    op = takes(a, x, 9);
    assert_string_equal(taken(a, op), "2 3 ");
    ask_set(b, "g", "from=start");
    assert_string_equal(taken(a, takes(a, x, 9)), "1 2 3 ");
    ask_set(b, "g", "from=new");
    assert_string_equal(taken(a, takes(a, x, 9)), "");
    kept_restart();
    published(b, "k.x", "4");
    assert_string_equal(taken(a, takes(a, join(a, 9), 9)), "4 ");
}

static void test_IP16_7_a_sequence_that_is_not_given_yet_is_as_new_and_moves_no_other(void **state)
{
    uint64_t x = join_with(a, "g", "k.>", 9, "from=9223372036854775807", FROM_NEW), y;

    y = join_with(b, "h", "k.>", 9, "", FROM_NEW);
    ask_set(b, "h", "from=99");
    published(b, "k.x", "1");
    assert_string_equal(taken(a, takes(a, x, 9)), "1 ");
    assert_string_equal(taken(b, takes(b, y, 9)), "1 ");
    kept_restart();
    assert_int_equal(published(b, "k.x", "2"), 2);
}

static void test_IP16_7_groups_are_listed(void **state)
{
    uint64_t x = join(a, 1), op;

    join_with(a, "h", "k.y", 9, "", FROM_NEW);
    published(b, "k.x", "1 2");
    takes(a, x, 1);
    op = client_do(a, (struct request){.verb = VERB_GROUP_LIST});
    assert_string_equal(got(a, op)->names, "g h ");
    op = client_do(a, (struct request){.verb = VERB_GROUP_LIST, .group_list = {.prefix = {"g", 1}}});
    assert_string_equal(got(a, op)->names, "g ");
    assert_true(got(a, op)->group.settings_n > 0);
    assert_int_equal(got(a, op)->group.outstanding, 1);
    assert_int_equal(got(a, op)->group.waiting, 1);
}

/* Each row with wildcards looks at each topic. */
static void test_IP16_7_where_there_are_many_topics_a_list_has_short_pages(void **state)
{
    static const struct {
        const char *after, *names;
        bool more;
        uint64_t per_turn;
    } pages[] = {{"", "g g2 ", true, 6}, {"g2", "h ", false, 6}, {"", "g g2 h ", false, 7}};

    join(a, 1);
    join_with(a, "h", "k.y", 9, "", FROM_NEW);
    join_with(a, "g2", "k.>", 9, "", FROM_NEW);
    published(b, "k.x", "1");
    published(b, "k.y", "2");
    for (size_t i = 0; i < 3; i++) {
        struct request_group_list list = {.after = {pages[i].after, strlen(pages[i].after)}};
        d->rig->core->limits.sweep_per_turn = pages[i].per_turn;
        uint64_t op = client_do(a, (struct request){.verb = VERB_GROUP_LIST, .group_list = list});
        assert_string_equal(got(a, op)->names, pages[i].names);
        assert_int_equal(!!(got(a, op)->flags & RESULT_MORE), pages[i].more);
    }
    d->rig->core->limits.sweep_per_turn = 1;
    const struct request_group_list one = {.prefix = {"g", 1}, .after = {"g", 1}};
    uint64_t op = client_do(a, (struct request){.verb = VERB_GROUP_LIST, .group_list = one});
    assert_string_equal(got(a, op)->names, "g2 ");
    assert_int_equal(got(a, op)->group.settings_n, 0); /* not those of g */
}

static void test_IP16_7_a_group_that_is_removed_is_forgotten(void **state)
{
    uint64_t x = join(a, 9), op;

    published(b, "k.x", "1 2");
    op = takes(a, x, 1);
    client_do(b, (struct request){.verb = VERB_GROUP_REMOVE, .group_remove.group = {"g", 1}});
    stored(d);
    assert_status(b, b->op, 0);
    assert_null(the_group());
    acked(a, op, 1);
    op = recv_many(a, x, 1);
    stored(d);
    assert_status(a, op, 0); /* closed */
    kept_restart();
    assert_null(the_group());
    client_do(b, (struct request){.verb = VERB_GROUP_REMOVE, .group_remove.group = {"g", 1}});
    assert_status(b, b->op, -ENOENT);
}

/* ---- by chance ---- */

static uint64_t chance(uint64_t below)
{
    static uint64_t word = 88172645463325252ull;

    word ^= word << 13;
    word ^= word >> 7;
    word ^= word << 17;
    return word % below;
}

enum { MESSAGES = 400, MEMBERS = 3 };

/* Members come, die and forget, the daemon is killed: what was acknowledged never comes again, and in the end all was. */
static void test_IP16_8_every_message_is_acknowledged_in_the_end_and_none_comes_after(void **state)
{
    bool done[MESSAGES + 1] = {false};
    struct client *c[MEMBERS];
    uint64_t handle[MEMBERS], all = 0;

    for (int i = 0; i < MEMBERS; i++)
        c[i] = client_new(d->rig);
    for (int i = 0; i < MEMBERS; i++)
        handle[i] = join_with(c[i], "g", "k.>", 1 + chance(5), "ack_wait=1000", FROM_NEW);
    for (int i = 0; i < MESSAGES; i++)
        published(a, "k.x", "m");
    for (int step = 0; step < 100000 && all < MESSAGES; step++) {
        int who = (int)chance(MEMBERS);
        if (chance(200) == 0) {
            crash(d, chance(3));
            for (int i = 0; i < MEMBERS; i++)
                c[i] = client_new(d->rig);
            for (int i = 0; i < MEMBERS; i++)
                handle[i] = join_with(c[i], "g", "k.>", 1 + chance(5), "", FROM_NEW);
        } else if (chance(20) == 0) {
            client_die(c[who]);
            c[who] = client_new(d->rig);
            handle[who] = join_with(c[who], "g", "k.>", 1 + chance(5), "", FROM_NEW);
        } else if (chance(8) == 0) {
            kept_after(SECOND / 2);
        }
        uint64_t op = takes(c[who], handle[who], 1 + (uint32_t)chance(4));
        int32_t n = status_of(c[who], op);
        if (n < 0)
            continue;
        const struct got *g = got(c[who], op);
        for (int32_t i = 0; i < n; i++)
            assert_false(done[g->value[i].sequence]);
        if (chance(3) == 0)
            continue;
        acked(c[who], op, (uint64_t)n);
        for (int32_t i = 0; i < n; i++)
            done[g->value[i].sequence] = true;
        all += (uint64_t)n;
    }
    assert_int_equal(all, MESSAGES);
    assert_int_equal(the_group()->work.open_n, 0);
}

#define GROUP_TEST(test) cmocka_unit_test_setup_teardown(test, kept_setup, durable_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        GROUP_TEST(test_IP16_2_who_is_late_to_receive_has_them_in_order),
        GROUP_TEST(test_IP16_4_the_time_to_acknowledge_begins_when_it_is_received),
        GROUP_TEST(test_IP16_7_what_was_late_before_a_seek_counts_no_more),
        GROUP_TEST(test_IP16_8_a_group_goes_on_when_the_user_of_its_member_has_room_again),
        GROUP_TEST(test_IP16_7_a_sequence_that_is_not_given_yet_is_as_new_and_moves_no_other),
        GROUP_TEST(test_IP16_1_a_group_whose_first_member_is_refused_is_not_there),
        GROUP_TEST(test_IP16_5_dead_letters_do_not_come_back_to_the_group),
        GROUP_TEST(test_IP16_1_a_group_is_made_by_its_first_member_and_joined_by_others),
        GROUP_TEST(test_IP16_2_each_message_is_given_to_one_member),
        GROUP_TEST(test_IP16_2_a_member_has_no_more_than_its_capacity),
        GROUP_TEST(test_IP16_8_no_window_is_larger_than_the_daemon_lets_it_be),
        GROUP_TEST(test_IP16_2_all_together_have_no_more_than_the_window),
        GROUP_TEST(test_IP16_2_who_waits_receives_what_is_published),
        GROUP_TEST(test_IP16_2_a_group_begins_where_it_is_made_to),
        GROUP_TEST(test_IP16_3_messages_of_a_key_wait_for_each_other),
        GROUP_TEST(test_IP16_4_what_is_given_back_comes_at_once_and_flagged),
        GROUP_TEST(test_IP16_4_what_a_dead_member_had_goes_to_others),
        GROUP_TEST(test_IP16_4_after_ack_wait_it_goes_to_whoever_is_free_and_a_late_acknowledgement_counts),
        GROUP_TEST(test_IP16_4_what_nobody_received_is_given_to_others_as_new),
        GROUP_TEST(test_IP16_5_after_so_many_tries_a_message_is_a_dead_letter),
        GROUP_TEST(test_IP16_5_a_member_settles_what_it_has),
        GROUP_TEST(test_IP16_6_acknowledgements_outlive_the_daemon_and_what_was_seen_is_flagged),
        GROUP_TEST(test_IP16_6_nothing_is_received_before_the_store_knows),
        GROUP_TEST(test_IP16_6_tries_and_settings_outlive_the_daemon),
        GROUP_TEST(test_IP16_7_a_paused_group_gives_nothing),
        GROUP_TEST(test_IP16_7_a_group_is_sent_elsewhere),
        GROUP_TEST(test_IP16_7_groups_are_listed),
        GROUP_TEST(test_IP16_7_where_there_are_many_topics_a_list_has_short_pages),
        GROUP_TEST(test_IP16_7_a_group_that_is_removed_is_forgotten),
        GROUP_TEST(test_IP16_8_every_message_is_acknowledged_in_the_end_and_none_comes_after),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
