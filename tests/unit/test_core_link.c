/* Connections and sessions: IP0, IP7, IP9. */
#include "core_fixture.h"

static struct rig *rig;

static int setup(void **state)
{
    rig = rig_new();
    return 0;
}

static int teardown(void **state)
{
    rig_delete(rig);
    return 0;
}

static struct request ping(void)
{
    return (struct request){.verb = VERB_PING, .ping.payload = {"hey", 3}};
}

static void test_IP0_hello_is_answered_with_the_window(void **state)
{
    struct client *c = client_new(rig);
    assert_true(rig->said.welcome && rig->said.conn == c->conn);
    assert_memory_equal(&rig->said.hello.session, &c->secret, sizeof(c->secret));
    assert_int_equal(rig->said.hello.session_number, 1);
    assert_int_equal(rig->said.hello.incarnation, 7);
    assert_int_equal(rig->said.hello.window_ops, rig->limits.window_ops);
    assert_true(rig->said.hello.absolute_deadlines);
    uint64_t op = client_do(c, ping());
    assert_string_equal(got(c, op)->output, "hey");
}

static void test_IP0_an_unbound_connection_is_only_answered_need_resume(void **state)
{
    struct client *c = client_up(rig, 1000, false, 0);
    uint64_t op = client_do(c, ping());
    assert_true(rig->said.need_resume);
    assert_waits(c, op);
    assert_int_equal(rig->replies, 1);
}

static void test_IP0_a_gap_in_frame_numbers_forces_resume(void **state)
{
    struct client *c = client_new(rig);
    c->frame++;
    uint64_t op = client_do(c, ping());
    assert_true(rig->said.need_resume);
    assert_waits(c, op);
    client_do(c, ping());
    assert_int_equal(rig->replies, 3);
    client_resume(c, op, (uint64_t)0);
    assert_true(rig->said.welcome);
    assert_int_equal(rig->said.state[0].fate, FATE_UNKNOWN);
    client_again(c, ping(), op);
    assert_status(c, op, 0);
}

static void test_IP0_a_repeated_frame_is_dropped_whole(void **state)
{
    struct client *c = client_new(rig);
    uint64_t h = chan(c, "x", 4);
    send1(c, h, "v");
    c->frame--;
    uint64_t other = send1(c, h, "w");
    assert_waits(c, other);
    assert_int_equal(rig->replies, 1);
    assert_int_equal(info(c, h).length, 1);
}

static void test_IP0_resume_voids_the_old_connection(void **state)
{
    struct client *c = client_new(rig);
    uint64_t old = c->conn, frame = c->frame;
    client_resume(c, (uint64_t)0);
    struct request r = ping();
    r.id = 99;
    c->conn = old;
    c->frame = frame;
    client_frame(c, (struct client_frame){.requests = &r, .requests_n = 1});
    assert_true(rig->said.need_resume && rig->said.conn == old);
    assert_null(got(c, 99));
}

static void test_IP0_a_connection_that_is_bound_anew_is_not_that_of_its_old_session(void **state)
{
    struct client *a = client_new(rig), *b = client_new(rig);
    b->conn = a->conn;
    client_hello(b);
    assert_true(rig->said.welcome && rig->said.conn == a->conn);
    assert_status(b, client_do(b, ping()), 0);
    client_resume(a, (uint64_t)0);
    assert_status(a, client_do(a, ping()), 0);
    assert_status(b, client_do(b, ping()), 0);
}

static void test_IP0_resume_on_the_same_connection_counts_from_1(void **state)
{
    struct client *c = client_new(rig);
    client_do(c, ping());
    struct resume resume = {.session = c->secret};
    c->frame = 0;
    client_frame(c, (struct client_frame){.resume = &resume});
    assert_true(rig->said.welcome);
    assert_status(c, client_do(c, ping()), 0);
}

static void test_IP0_a_late_copy_of_a_resume_begins_nothing_anew(void **state)
{
    struct client *c = client_new(rig);
    struct resume resume = {.session = c->secret, .attempt = 2};
    c->frame = 0;
    client_frame(c, (struct client_frame){.resume = &resume});
    assert_status(c, client_do(c, ping()), 0);
    uint64_t replies = rig->replies;
    client_frame(c, (struct client_frame){.number = 1, .resume = &resume});
    assert_int_equal(rig->replies, replies);
    assert_status(c, client_do(c, ping()), 0);
    resume.attempt = 3;
    c->frame = 0;
    client_frame(c, (struct client_frame){.resume = &resume});
    assert_int_equal(rig->replies, replies + 1);
    assert_int_equal(rig->said.hello.attempt, 3);
}

static void test_IP0_every_frame_after_the_end_is_refused_as_session_over(void **state)
{
    struct client *c = client_new(rig);
    client_die(c);
    assert_int_equal(rig->ended_peer, c->peer);
    client_resume(c, (uint64_t)0);
    assert_int_equal(rig->said.refused, -ECONNRESET);
}

static void test_IP0_bye_ends_after_the_operations_of_its_frame(void **state)
{
    struct client *c = client_new(rig), *d = client_new(rig);
    uint64_t h = chan(c, "x", 4), hd = chan(d, "x", 4);
    struct value v = {.body = {"v", 1}};
    struct request r = {.id = 50, .verb = VERB_SEND, .send = {h, &v, 1}};
    client_frame(c, (struct client_frame){.bye = true, .requests = &r, .requests_n = 1});
    assert_int_equal(rig->ended_peer, c->peer);
    assert_int_equal(rig->ended_error, 0);
    assert_values(d, recv1(d, hd), "v ");
}

static void test_a_wrong_version_is_refused_naming_both(void **state)
{
    struct client *c = client_up(rig, 1000, false, 0);
    struct hello hello = {.session = c->secret};
    client_frame(c, (struct client_frame){.version = 9, .hello = &hello});
    assert_int_equal(rig->said.refused, -EPROTONOSUPPORT);
    assert_non_null(strstr(rig->said.text, "version 9"));
    assert_non_null(strstr(rig->said.text, "only 1"));
}

static void test_IP9_another_process_cannot_use_a_session_id(void **state)
{
    struct client *c = client_new(rig), *thief = client_up(rig, 1000, false, 0);
    uint64_t replies = rig->replies;
    thief->secret = c->secret;
    client_hello(thief);
    assert_int_equal(rig->said.refused, -EPERM);
    client_resume(thief, (uint64_t)0);
    assert_int_equal(rig->said.refused, -EPERM);
    assert_int_equal(rig->replies, replies + 2);
    assert_status(c, client_do(c, ping()), 0);
}

static void test_IP9_an_invented_session_id_is_refused(void **state)
{
    struct client *c = client_up(rig, 1000, false, 0);
    c->secret.byte[7] ^= 1;
    client_hello(c);
    assert_int_equal(rig->said.refused, -EPERM);
    client_resume(c, (uint64_t)0);
    assert_int_equal(rig->said.refused, -ENETRESET);
}

static void test_IP9_a_frame_of_a_foreign_process_on_a_bound_connection_unbinds_it(void **state)
{
    struct client *c = client_new(rig);
    c->who.pid++;
    uint64_t op = client_do(c, ping());
    assert_true(rig->said.need_resume);
    assert_waits(c, op);
}

static void test_a_lease_ends_a_silent_session(void **state)
{
    struct client *c = client_up(rig, 0, true, 0);
    client_hello(c);
    assert_int_equal(rig->said.hello.lease_ns, 10 * (int64_t)SECOND);
    rig_after(rig, 9 * (int64_t)SECOND);
    assert_status(c, client_do(c, ping()), 0);
    rig_after(rig, 9 * (int64_t)SECOND);
    assert_int_equal(rig->ended_n, 0);
    rig_after(rig, 1 * (int64_t)SECOND);
    assert_int_equal(rig->ended_peer, c->peer);
    assert_int_equal(rig->said.refused, -ECONNRESET);
}

/* ---- IP7 ---- */

static void test_IP7_a_repeated_parked_request_joins(void **state)
{
    struct client *c = client_new(rig);
    uint64_t h = chan(c, "x", 0), r = recv1(c, h);
    client_again(c, (struct request){.verb = VERB_RECV, .recv = {h, 1}}, r);
    assert_int_equal(info(c, h).receivers, 1);
}

static void test_IP7_a_repeated_finished_request_repeats_its_result(void **state)
{
    struct client *c = client_new(rig);
    struct value v = {.body = {"v", 1}};
    uint64_t h = chan(c, "x", 4), s = send1(c, h, "v");
    client_again(c, (struct request){.verb = VERB_SEND, .send = {h, &v, 1}}, s);
    assert_int_equal(got_count(c, s), 2);
    assert_int_equal(info(c, h).length, 1);
}

static void test_IP7_an_acknowledged_id_is_stale(void **state)
{
    struct client *c = client_new(rig);
    struct value v = {.body = {"v", 1}};
    uint64_t h = chan(c, "x", 4), s1 = send1(c, h, "1"), s2 = send1(c, h, "2");
    ack(c, s2, 0);
    client_again(c, (struct request){.verb = VERB_SEND, .send = {h, &v, 1}}, s2);
    assert_status(c, s2, -ESTALE);
    c->mark = s1;
    client_again(c, (struct request){.verb = VERB_SEND, .send = {h, &v, 1}}, s1);
    assert_status(c, s1, -ESTALE);
    assert_int_equal(info(c, h).length, 2);
}

static void test_IP7_ids_may_overtake_each_other(void **state)
{
    struct client *c = client_new(rig);
    client_again(c, ping(), 30);
    client_again(c, ping(), 10);
    client_again(c, ping(), 20);
    assert_status(c, 30, 0);
    assert_status(c, 10, 0);
    assert_status(c, 20, 0);
    ack(c, 10, 0);
    client_again(c, ping(), 10);
    assert_status(c, 10, -ESTALE);
}

static void test_IP7_resume_tells_the_fate_of_each_open_operation(void **state)
{
    struct client *c = client_new(rig);
    uint64_t h = chan(c, "x", 0), parked = recv1(c, h), done = client_do(c, ping());
    client_cut(c);
    client_resume(c, parked, done, done + 1, (uint64_t)0);
    assert_int_equal(rig->said.states_n, 3);
    assert_int_equal(rig->said.state[0].fate, FATE_PARKED);
    assert_int_equal(rig->said.state[1].fate, FATE_RESULT);
    assert_int_equal(rig->said.state[2].fate, FATE_UNKNOWN);
    assert_string_equal(got(c, done)->output, "hey");
    assert_waits(c, parked);
}

/* A late copy of an old RESUME knows nothing of what came after it. */
static void test_IP7_resume_acknowledges_nothing_by_silence(void **state)
{
    struct client *c = client_new(rig);
    uint64_t h = chan(c, "x", 0), r = recv1(c, h), s = send1(c, h, "v");
    assert_waits(c, s);
    client_resume(c, (uint64_t)0);
    assert_null(got(c, r));
    assert_null(got(c, s));
    client_resume(c, r, s, (uint64_t)0);
    assert_values(c, r, "v ");
    assert_waits(c, s);
    ack(c, r, 0);
    assert_status(c, s, 1);
}

static void test_IP7_a_result_while_disconnected_comes_with_the_resume(void **state)
{
    struct client *c = client_new(rig), *d = client_new(rig);
    uint64_t h = chan(c, "x", 0), hd = chan(d, "x", 0), r = recv1(c, h);
    client_cut(c);
    send1(d, hd, "v");
    client_resume(c, r, (uint64_t)0);
    assert_values(c, r, "v ");
}

static void test_IP7_op_status_tells_what_an_ended_session_did(void **state)
{
    struct client *c = client_new(rig), *d = client_new(rig);
    struct request ask = {.verb = VERB_OP_STATUS, .op_status.session = c->secret};
    uint64_t h = chan(c, "x", 1), s = send1(c, h, "1"), parked = send1(c, h, "2");
    client_die(c);
    ask.op_status.op = s;
    assert_status(d, client_do(d, ask), 1);
    ask.op_status.op = parked;
    assert_status(d, client_do(d, ask), 0);
    ask.op_status.op = parked + 5;
    uint64_t op = client_do(d, ask);
    assert_waits(d, op);
    rig_step(rig, &(struct input){.kind = IN_FETCHED, .fetched = {.fetch = rig->fetch, .error = -ENOENT}});
    assert_status(d, op, 0);
    rig_after(rig, 61 * (int64_t)SECOND);
    ask.op_status.op = s;
    op = client_do(d, ask);
    rig_step(rig, &(struct input){.kind = IN_FETCHED, .fetched = {.fetch = rig->fetch, .error = -ENOENT}});
    assert_status(d, op, -ENOENT);
    assert_int_equal(rig_stat(rig, "sessions.remembered"), 0);
}

static void test_IP7_op_status_finds_the_job_of_a_submit_in_the_store(void **state)
{
    struct client *d = client_new(rig);
    struct job_row row = {.id = 4711};
    uint64_t op = client_do(d, (struct request){.verb = VERB_OP_STATUS, .op_status.op = 3});
    assert_int_equal(rig->fetch_what.kind, FETCH_OP);
    assert_int_equal(rig->fetch_what.op, 3);
    rig_step(rig, &(struct input){.kind = IN_FETCHED,
                                  .fetched = {.fetch = rig->fetch, .rows = &row, .rows_n = 1}});
    assert_status(d, op, 1);
    assert_int_equal(got(d, op)->handle, 4711);
}

static void test_a_fetch_answered_after_its_operation_ended_is_dropped(void **state)
{
    struct client *d = client_new(rig);
    uint64_t op = client_do(d, (struct request){.verb = VERB_OP_STATUS, .op_status.op = 3});
    cancel(d, op);
    assert_status(d, op, -ECANCELED);
    rig_step(rig, &(struct input){.kind = IN_FETCHED, .fetched = {.fetch = rig->fetch}});
    assert_int_equal(got_count(d, op), 1);
}

/* ---- refusals ---- */

static void test_an_unknown_verb_is_refused_alone(void **state)
{
    struct client *c = client_new(rig);
    assert_status(c, client_do(c, (struct request){.verb = VERB_NONE}), -EOPNOTSUPP);
    uint64_t op = client_do(c, (struct request){.fault = -E2BIG, .fault_text = {"why", 3}});
    assert_status(c, op, -E2BIG);
    assert_string_equal(got(c, op)->text, "why");
    assert_status(c, client_do(c, ping()), 0);
}

static void test_verbs_of_hosts_are_refused_to_others(void **state)
{
    struct client *c = client_new(rig);
    assert_status(c, client_do(c, (struct request){.verb = VERB_STARTED}), -EPERM);
}

static void test_the_clock_moves_only_where_it_was_allowed(void **state)
{
    struct client *c = client_new(rig);
    struct request r = {.verb = VERB_CLOCK_ADVANCE, .clock_advance.ns = 5};
    assert_status(c, client_do(c, r), -EOPNOTSUPP);
    core_allow_clock(rig->core);
    assert_status(c, client_do(c, r), 0);
    assert_int_equal(rig->clock_ns, 5);
}

static void test_an_operation_of_an_unknown_run_is_stale(void **state)
{
    struct client *c = client_new(rig);
    c->run = 77;
    assert_status(c, client_do(c, ping()), -ESTALE);
}

static void test_IP0_the_end_of_a_run_ends_what_it_owns(void **state)
{
    struct client *host = client_up(rig, 1000, false, 5), *c = client_new(rig);
    client_hello(host);
    client_do(host, (struct request){.verb = VERB_STARTED, .started = {1, 9}});
    uint64_t outer = chan(host, "x", 0), hc = chan(c, "x", 0);
    host->run = 9;
    uint64_t h = chan(host, "x", 0);
    assert_status(host, recv1(host, outer), -ENOENT);
    uint64_t s = send1(host, h, "v");
    host->run = 0;
    uint64_t done = client_do(host, (struct request){.verb = VERB_DONE, .done = {1, 9}});
    assert_waits(host, done);
    assert_status(host, s, -ESTALE);
    rig_stored(rig, 0);
    assert_status(host, done, 0);
    assert_int_equal(info(c, hc).senders, 0);
    host->run = 9;
    assert_status(host, recv1(host, h), -ESTALE);
}

static void test_IP4_a_send_of_an_ended_run_stands_and_says_so(void **state)
{
    struct client *host = client_up(rig, 1000, false, 5), *c = client_new(rig);
    client_hello(host);
    client_do(host, (struct request){.verb = VERB_STARTED, .started = {1, 9}});
    uint64_t hc = chan(c, "x", 0), r = recv1(c, hc);
    host->run = 9;
    uint64_t h = chan(host, "x", 0), buffered = chan(host, "y", 1);
    uint64_t handed = send1(host, h, "v"), sent = send1(host, buffered, "w");
    host->run = 0;
    client_do(host, (struct request){.verb = VERB_DONE, .done = {1, 9}});
    assert_status(host, handed, 1);
    client_resume(host, sent, (uint64_t)0);
    assert_status(host, sent, 1);
    assert_values(c, r, "v ");
}

static void test_IP4_what_an_ended_run_had_received_goes_back(void **state)
{
    struct client *host = client_up(rig, 1000, false, 5), *c = client_new(rig);
    client_hello(host);
    client_do(host, (struct request){.verb = VERB_STARTED, .started = {1, 9}});
    uint64_t hc = chan(c, "y", 1);
    host->run = 9;
    uint64_t h = chan(host, "y", 1), waits = recv1(host, h);
    send_many(c, hc, "1 2");
    uint64_t has = recv1(host, h);
    assert_values(host, waits, "1 ");
    host->run = 0;
    client_do(host, (struct request){.verb = VERB_DONE, .done = {1, 9}});
    assert_values(c, recv_many(c, hc, 9), "1 2 ");
    client_resume(host, waits, has, (uint64_t)0);
    assert_status(host, waits, -ESTALE);
    assert_status(host, has, -ESTALE);
}

static void test_results_of_standing_operations_are_numbered_and_kept(void **state)
{
    struct client *host = client_up(rig, 1000, false, 5);
    client_hello(host);
    uint64_t reserve = client_do(host, (struct request){.verb = VERB_RESERVE});
    client_do(host, (struct request){.verb = VERB_PROGRESS});
    client_do(host, (struct request){.verb = VERB_PROGRESS});
    assert_int_equal(got_count(host, reserve), 2);
    assert_int_equal(got(host, reserve)->number, 2);
    ack(host, reserve, 1);
    client_resume(host, reserve, (uint64_t)0);
    assert_int_equal(got_count(host, reserve), 1);
    assert_int_equal(got(host, reserve)->number, 2);
    cancel(host, reserve);
    assert_status(host, reserve, -ECANCELED);
    assert_true(got(host, reserve)->flags & RESULT_LAST);
}

static void test_IP8_a_standing_result_precedes_later_results(void **state)
{
    struct client *host = client_up(rig, 1000, false, 5);
    client_hello(host);
    client_do(host, (struct request){.verb = VERB_RESERVE});
    uint64_t progress = client_do(host, (struct request){.verb = VERB_PROGRESS});
    assert_int_equal(rig->got->op, progress);
    assert_int_equal(rig->got->next->number, 1);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_IP0_hello_is_answered_with_the_window),
        T(test_IP0_an_unbound_connection_is_only_answered_need_resume),
        T(test_IP0_a_gap_in_frame_numbers_forces_resume),
        T(test_IP0_a_repeated_frame_is_dropped_whole),
        T(test_IP0_resume_voids_the_old_connection),
        T(test_IP0_a_connection_that_is_bound_anew_is_not_that_of_its_old_session),
        T(test_IP0_resume_on_the_same_connection_counts_from_1),
        T(test_IP0_a_late_copy_of_a_resume_begins_nothing_anew),
        T(test_IP0_every_frame_after_the_end_is_refused_as_session_over),
        T(test_IP0_bye_ends_after_the_operations_of_its_frame),
        T(test_a_wrong_version_is_refused_naming_both),
        T(test_IP9_another_process_cannot_use_a_session_id),
        T(test_IP9_an_invented_session_id_is_refused),
        T(test_IP9_a_frame_of_a_foreign_process_on_a_bound_connection_unbinds_it),
        T(test_a_lease_ends_a_silent_session),
        T(test_IP7_a_repeated_parked_request_joins),
        T(test_IP7_a_repeated_finished_request_repeats_its_result),
        T(test_IP7_an_acknowledged_id_is_stale),
        T(test_IP7_ids_may_overtake_each_other),
        T(test_IP7_resume_tells_the_fate_of_each_open_operation),
        T(test_IP7_resume_acknowledges_nothing_by_silence),
        T(test_IP7_a_result_while_disconnected_comes_with_the_resume),
        T(test_IP7_op_status_tells_what_an_ended_session_did),
        T(test_IP7_op_status_finds_the_job_of_a_submit_in_the_store),
        T(test_a_fetch_answered_after_its_operation_ended_is_dropped),
        T(test_an_unknown_verb_is_refused_alone),
        T(test_verbs_of_hosts_are_refused_to_others),
        T(test_the_clock_moves_only_where_it_was_allowed),
        T(test_an_operation_of_an_unknown_run_is_stale),
        T(test_IP0_the_end_of_a_run_ends_what_it_owns),
        T(test_IP4_a_send_of_an_ended_run_stands_and_says_so),
        T(test_IP4_what_an_ended_run_had_received_goes_back),
        T(test_results_of_standing_operations_are_numbered_and_kept),
        T(test_IP8_a_standing_result_precedes_later_results),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
