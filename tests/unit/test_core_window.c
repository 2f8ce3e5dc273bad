/* Flow control and limits (IP6), output commit, sweeps. Each limit of the engine is met and passed here. */
#include "core_fixture.h"

static struct rig *rig;
static struct client *a, *b, *c;

static void rig_limits(struct limits limits)
{
    rig = rig_with(&limits, 3);
    a = client_new(rig);
    b = client_new(rig);
    c = client_new(rig);
}

static int setup(void **state)
{
    rig_limits((struct limits)LIMITS_DEFAULT);
    return 0;
}

/* For tests that make their own. */
static int no_setup(void **state)
{
    return 0;
}

static int teardown(void **state)
{
    rig_delete(rig);
    return 0;
}

#define LIMITED(member, value)                                                                               \
    do {                                                                                                     \
        struct limits limits_ = LIMITS_DEFAULT;                                                              \
        limits_.member = (value);                                                                            \
        rig_limits(limits_);                                                                                 \
    } while (0)

static struct request ping(void)
{
    return (struct request){.verb = VERB_PING, .ping.payload = {"hey", 3}};
}

/* ---- the window ---- */

static void test_IP6_2_operations_over_the_window_are_refused(void **state)
{
    LIMITED(window_ops, 3);
    for (int i = 0; i < 3; i++)
        assert_status(a, client_do(a, ping()), 0);
    uint64_t op = client_do(a, ping());
    assert_status(a, op, -ENOBUFS);
    assert_status(b, client_do(b, ping()), 0);
    ack(a, 1, 0);
    client_again(a, ping(), op);
    assert_status(a, op, 0);
}

static void test_IP6_2_parked_operations_are_not_in_the_window(void **state)
{
    LIMITED(window_ops, 3);
    uint64_t h = chan(a, "x", 0);
    for (int i = 0; i < 10; i++)
        assert_waits(a, recv1(a, h));
    assert_status(a, client_do(a, ping()), 0);
}

static void test_IP6_2_close_and_drop_never_wait_for_the_window(void **state)
{
    LIMITED(window_ops, 2);
    uint64_t h = chan(a, "x", 0);
    client_do(a, ping());
    assert_status(a, client_do(a, ping()), -ENOBUFS);
    assert_status(a, chan_close(a, h), 0);
    assert_status(a, client_do(a, (struct request){.verb = VERB_CHAN_DROP, .chan_drop = {h}}), 0);
}

static void test_IP6_2_results_over_the_byte_bound_refuse_new_operations(void **state)
{
    LIMITED(window_bytes, 10);
    uint64_t h = chan(a, "x", 4), hb = chan(b, "x", 4);
    send_many(b, hb, "123456 123456");
    uint64_t r = recv_many(a, h, 2);
    assert_values(a, r, "123456 123456 ");
    assert_status(a, recv1(a, h), -ENOBUFS);
    ack(a, r, 0);
    assert_waits(a, recv1(a, h));
}

static void test_IP6_2_receivers_over_the_byte_bound_are_passed_and_keep_their_place(void **state)
{
    LIMITED(window_bytes, 10);
    uint64_t h = chan(a, "x", 4), hb = chan(b, "x", 4), hc = chan(c, "x", 4);
    uint64_t r1 = recv1(a, h), r2 = recv1(a, h), r3 = recv1(a, h);
    send1(b, hb, "12345678901");
    assert_values(a, r1, "12345678901 ");
    send1(b, hb, "2");
    assert_waits(a, r2);
    assert_int_equal(info(b, hb).length, 1);
    assert_values(c, recv1(c, hc), "2 ");
    uint64_t r4 = recv1(c, hc);
    ack(a, r1, 0);
    send1(b, hb, "3");
    assert_values(a, r2, "3 ");
    assert_waits(a, r3);
    assert_waits(c, r4);
}

static void test_IP6_2_a_relieved_receiver_takes_what_came_meanwhile(void **state)
{
    LIMITED(window_bytes, 10);
    uint64_t h = chan(a, "x", 4), hb = chan(b, "x", 4);
    uint64_t r1 = recv1(a, h), r2 = recv1(a, h);
    send1(b, hb, "12345678901");
    send_many(b, hb, "2");
    chan_close(b, hb);
    assert_waits(a, r2);
    ack(a, r1, 0);
    assert_values(a, r2, "2 ");
}

static void test_IP6_2_the_acknowledgement_of_a_part_of_a_stream_relieves_receivers(void **state)
{
    LIMITED(window_bytes, 1);
    struct client *host = client_up(rig, 1000, false, 5);
    client_hello(host);
    uint64_t reserve = client_do(host, (struct request){.verb = VERB_RESERVE}), hb = chan(b, "x", 4);
    client_do(host, (struct request){.verb = VERB_STARTED, .started = {1, 9}});
    host->run = 9;
    uint64_t r = recv1(host, chan(host, "x", 4));
    host->run = 0;
    client_do(host, (struct request){.verb = VERB_PROGRESS});
    send1(b, hb, "v");
    assert_waits(host, r);
    ack(host, reserve, 1);
    assert_values(host, r, "v ");
}

static void test_IP6_2_a_select_passed_over_and_then_handed_is_left_alone(void **state)
{
    LIMITED(window_bytes, 10);
    uint64_t x = chan(a, "x", 4), y = chan(a, "y", 0), xb = chan(b, "x", 4), yb = chan(b, "y", 0);
    uint64_t r = recv1(a, x), s = SELECT(a, CASE_R(x), CASE_S(y, "v"));
    send1(b, xb, "12345678901");
    send1(b, xb, "passed");
    uint64_t taken = recv1(b, yb);
    assert_values(b, taken, "v ");
    ack(a, r, 0);
    assert_waits(a, s);
    ack(b, taken, 0);
    assert_status(a, s, 1);
    assert_int_equal(got(a, s)->index, 1);
}

static void test_IP6_3_a_stuck_client_does_not_delay_others(void **state)
{
    LIMITED(window_ops, 2);
    uint64_t h = chan(a, "x", 0), hb = chan(b, "x", 0), hc = chan(c, "x", 0);
    recv1(a, h);
    send1(b, hb, "1");
    uint64_t r = recv1(c, hc), s = send1(b, hb, "2");
    assert_values(c, r, "2 ");
    ack(c, r, 0);
    assert_status(b, s, 1);
}

/* ---- limits ---- */

static void test_limit_waiters_max(void **state)
{
    LIMITED(waiters_max, 2);
    uint64_t h = chan(a, "x", 0), hb = chan(b, "x", 0), y = chan(a, "y", 1);
    uint64_t r = recv1(a, h);
    recv1(b, hb);
    assert_status(a, recv1(a, h), -ENOBUFS);
    assert_status(a, SELECT(a, CASE_R(h)), -ENOBUFS);
    assert_status(a, send1(a, y, "v"), 1);
    assert_status(a, send1(a, y, "v"), -ENOBUFS);
    cancel(a, r);
    assert_waits(b, recv1(b, hb));
}

static void test_limit_sessions_max(void **state)
{
    LIMITED(sessions_max, 4);
    client_new(rig);
    assert_int_equal(rig->ended_n, 0);
    struct client *over = client_up(rig, 5, false, 0);
    assert_int_equal(rig->ended_peer, over->peer);
    assert_int_equal(rig->ended_error, -ENOBUFS);
}

static void test_limit_sessions_per_account(void **state)
{
    LIMITED(sessions_per_account, 3);
    struct client *over = client_up(rig, 1000, false, 0);
    assert_int_equal(rig->ended_peer, over->peer);
    assert_int_equal(rig->ended_error, -ENOBUFS);
    client_of(rig, 5);
    assert_int_equal(rig->ended_n, 1);
}

static void test_limit_channels_max_is_given_back_with_the_channel(void **state)
{
    LIMITED(channels_max, 2);
    chan(a, "x", 0);
    uint64_t h = chan(b, NULL, 0);
    assert_int_equal(chan(a, "z", 0), 0);
    assert_status(a, a->op, -ENOBUFS);
    client_do(b, (struct request){.verb = VERB_CHAN_DROP, .chan_drop = {h}});
    assert_int_not_equal(chan(a, "z", 0), 0);
}

static void test_limit_handles_per_session(void **state)
{
    LIMITED(handles_per_session, 2);
    uint64_t h = chan(a, "x", 0);
    chan(a, "x", 0);
    assert_int_equal(chan(a, "x", 0), 0);
    assert_status(a, a->op, -ENOBUFS);
    client_do(a, (struct request){.verb = VERB_CHAN_DROP, .chan_drop = {h}});
    assert_int_not_equal(chan(a, "x", 0), 0);
}

static void test_limit_channel_bytes_max_counts_until_acknowledged(void **state)
{
    LIMITED(channel_bytes_max, 4);
    uint64_t h = chan(a, "x", 9), hb = chan(b, "x", 9);
    assert_status(a, send1(a, h, "1234"), 1);
    assert_status(a, send1(a, h, "5"), -ENOBUFS);
    uint64_t r = recv1(b, hb);
    assert_status(a, send1(a, h, "5"), -ENOBUFS);
    ack(b, r, 0);
    assert_status(a, send1(a, h, "5"), 1);
}

static void test_limit_account_bytes_max_counts_all_channels_of_a_user(void **state)
{
    LIMITED(account_bytes_max, 300);
    uint64_t x = chan(a, "x", 9), y = chan(b, "y", 9);
    char big[151] = {0};
    memset(big, 'v', 150);
    assert_status(a, send1(a, x, big), 1);
    assert_status(b, send1(b, y, big), -ENOBUFS);
    struct client *other = client_of(rig, 5);
    assert_status(other, send1(other, chan(other, "y", 9), big), 1);
    assert_status(a, recv1(a, x), 1);
    ack(a, a->op, 0);
    assert_status(b, send1(b, y, big), 1);
}

static void test_limit_value_bytes_default(void **state)
{
    LIMITED(value_bytes_default, 3);
    uint64_t x = chan(a, "x", 9);
    assert_status(a, send1(a, x, "123"), 1);
    assert_status(a, send1(a, x, "1234"), -E2BIG);
}

static void test_limit_value_bytes_max(void **state)
{
    struct request r = {.verb = VERB_CHAN_OPEN, .chan_open = {.name = {"x", 1}, .flags = OPEN_CREATE}};
    LIMITED(value_bytes_max, 2 << 20);
    r.chan_open.value_bytes_max = (2 << 20) + 1;
    assert_status(a, client_do(a, r), -E2BIG);
    r.chan_open.value_bytes_max--;
    assert_status(a, client_do(a, r), 0);
}

static void test_limit_channel_capacity_max(void **state)
{
    struct request r = {.verb = VERB_CHAN_OPEN,
                        .chan_open = {.name = {"x", 1}, .flags = OPEN_CREATE, .capacity = 6}};
    LIMITED(channel_capacity_max, 5);
    assert_status(a, client_do(a, r), -E2BIG);
    r.chan_open.capacity = 5;
    assert_status(a, client_do(a, r), 0);
}

static void test_limit_value_handles_max(void **state)
{
    struct passed passed[3];
    LIMITED(value_handles_max, 2);
    uint64_t x = chan(a, "x", 9);
    for (int i = 0; i < 3; i++)
        passed[i] = (struct passed){chan(a, "", 1), 0};
    assert_status(a, send_carrying(a, x, "v", passed, 3), -E2BIG);
    assert_status(a, send_carrying(a, x, "v", passed, 2), 1);
}

static void test_limit_lease_ms(void **state)
{
    LIMITED(lease_ms, 3000);
    struct client *far = client_up(rig, 0, true, 0);
    client_hello(far);
    assert_int_equal(rig->said.hello.lease_ns, 3 * (int64_t)SECOND);
    rig_after(rig, 3 * (int64_t)SECOND - 1);
    assert_int_equal(rig->ended_n, 0);
    rig_after(rig, 1);
    assert_int_equal(rig->ended_peer, far->peer);
}

static void test_limit_id_gaps_max(void **state)
{
    LIMITED(id_gaps_max, 2);
    client_again(a, ping(), 10);
    client_again(a, ping(), 20);
    client_again(a, ping(), 30);
    assert_status(a, 20, 0);
    assert_status(a, 30, -ENOBUFS);
    a->mark = 9;
    client_again(a, ping(), 30);
    assert_status(a, 30, 0);
}

static void test_limit_list_page_max(void **state)
{
    LIMITED(list_page_max, 1);
    chan(a, "x", 0);
    chan(a, "y", 0);
    uint64_t op = client_do(a, (struct request){.verb = VERB_CHAN_LIST, .chan_list.limit = 50});
    assert_string_equal(got(a, op)->names, "x ");
    assert_true(got(a, op)->flags & RESULT_MORE);
}

static void test_limit_text_bytes_max_of_a_ping(void **state)
{
    LIMITED(text_bytes_max, 2);
    assert_status(a, client_do(a, ping()), -E2BIG);
}

static void test_limit_op_status_s(void **state)
{
    LIMITED(op_status_s, 5);
    client_die(c);
    assert_int_equal(rig_stat(rig, "sessions.remembered"), 1);
    rig_after(rig, 5 * (int64_t)SECOND);
    assert_int_equal(rig_stat(rig, "sessions.remembered"), 0);
}

/* ---- output commit ---- */

static void test_a_stored_result_leaves_when_its_batch_is_durable(void **state)
{
    uint64_t op = client_do(a, (struct request){.verb = VERB_SUBMIT});
    assert_waits(a, op);
    assert_status(a, client_do(a, ping()), 0);
    rig_stored(rig, 0);
    assert_status(a, op, 0);
    assert_int_equal(got(a, op)->handle, 1);
}

static void test_a_held_result_is_not_repeated_before_its_time(void **state)
{
    uint64_t op = client_do(a, (struct request){.verb = VERB_SUBMIT});
    client_again(a, (struct request){.verb = VERB_SUBMIT}, op);
    client_resume(a, op, (uint64_t)0);
    assert_int_equal(rig->said.state[0].fate, FATE_PARKED);
    assert_waits(a, op);
    rig_stored(rig, 0);
    assert_int_equal(got_count(a, op), 1);
}

static void test_a_failed_batch_fails_the_admission(void **state)
{
    uint64_t op = client_do(a, (struct request){.verb = VERB_SUBMIT});
    rig_stored(rig, -ENOSPC);
    assert_status(a, op, -ENOSPC);
}

static void test_a_failed_batch_of_a_completion_is_written_again(void **state)
{
    struct client *host = client_up(rig, 1000, false, 5);
    client_hello(host);
    client_do(host, (struct request){.verb = VERB_STARTED, .started = {1, 9}});
    uint64_t done = client_do(host, (struct request){.verb = VERB_DONE, .done = {1, 9}});
    rig_stored(rig, -ENOSPC);
    assert_waits(host, done);
    rig_stored(rig, 0);
    assert_status(host, done, 0);
}

static void test_one_report_covers_many_batches(void **state)
{
    uint64_t op[3];
    for (int i = 0; i < 3; i++)
        op[i] = client_do(a, (struct request){.verb = VERB_SUBMIT});
    rig_step(rig, &(struct input){.kind = IN_STORED, .stored.batch = 2});
    assert_status(a, op[1], 0);
    assert_waits(a, op[2]);
    rig_stored(rig, 0);
    assert_status(a, op[2], 0);
}

/* ---- sweeps ---- */

static void park(struct client *client, uint64_t handle, int n, int64_t ns)
{
    for (int i = 0; i < n; i++)
        recv1(ns ? within(client, ns) : client, handle);
}

static void test_C2_a_close_with_many_waiters_goes_on_in_turns(void **state)
{
    enum { N = 50 };
    LIMITED(sweep_per_turn, 10);
    uint64_t h = chan(a, "x", 0), hb = chan(b, "x", 0);
    uint64_t first = a->op + 1;
    park(a, h, N, 0);
    chan_close(b, hb);
    assert_int_equal(rig->out.wake_ns, rig->now.mono_ns);
    assert_waits(a, first + N - 1);
    assert_status(b, send1(at_once(b), hb, "v"), -EPIPE);
    assert_true(got(b, recv1(at_once(b), hb))->flags & RESULT_CLOSED);
    rig_sweep(rig);
    for (int i = 0; i < N; i++)
        assert_true(got(a, first + i)->flags & RESULT_CLOSED);
}

static void test_C2_what_a_close_has_ended_cannot_end_otherwise(void **state)
{
    LIMITED(sweep_per_turn, 1);
    uint64_t x = chan(a, "x", 0), y = chan(a, "y", 0), yb = chan(b, "y", 0), xb = chan(b, "x", 0);
    park(a, x, 20, 0);
    uint64_t timed = recv1(within(a, MS), x), s = SELECT(a, CASE_R(y), CASE_R(x)), last = recv1(a, x);
    chan_close(b, xb);
    assert_status(b, send1(at_once(b), yb, "v"), -EAGAIN);
    cancel(a, last);
    assert_status(a, last, 0);
    rig_after(rig, MS);
    assert_status(a, timed, 0);
    rig_sweep(rig);
    assert_status(a, s, 0);
    assert_int_equal(got(a, s)->index, 1);
}

static void test_IP4_the_death_of_a_big_session_goes_on_in_turns(void **state)
{
    LIMITED(sweep_per_turn, 10);
    uint64_t h = chan(a, "x", 0), hb = chan(b, "x", 0), hc = chan(c, "x", 0);
    park(a, h, 100, 0);
    uint64_t r = recv1(c, hc);
    client_die(a);
    assert_int_equal(rig->out.wake_ns, rig->now.mono_ns);
    send1(b, hb, "v");
    assert_values(c, r, "v ");
    rig_sweep(rig);
    assert_int_equal(rig_stat(rig, "ops.parked"), 1);
    assert_int_equal(info(b, hb).receivers, 0);
}

static void test_due_deadlines_go_on_in_turns_and_take_nothing_meanwhile(void **state)
{
    LIMITED(sweep_per_turn, 10);
    uint64_t h = chan(a, "x", 0), hb = chan(b, "x", 0), first = a->op + 1;
    park(a, h, 30, MS);
    rig->now.mono_ns += MS;
    assert_status(b, send1(at_once(b), hb, "v"), -EAGAIN);
    rig_sweep(rig);
    for (int i = 0; i < 30; i++)
        assert_status(a, first + i, -ETIMEDOUT);
}

static int late_ones(uint64_t first, int n)
{
    int late = 0;

    for (int i = 0; i < n; i++)
        late += status_if(a, first + i) == -ETIMEDOUT;
    return late;
}

/* A turn has many inputs: all of them share what a turn may do. */
static void test_due_deadlines_are_bounded_by_turn_and_not_by_input(void **state)
{
    enum { N = 30, A_TURN = 10 };
    LIMITED(sweep_per_turn, A_TURN);
    uint64_t h = chan(a, "x", 0), first = a->op + 1;

    park(a, h, N, MS);
    rig->now.mono_ns += MS;
    for (int i = 0; i < 5; i++)
        client_do(b, ping());
    assert_int_equal(late_ones(first, N), A_TURN);
    assert_true(rig->out.wake_ns <= rig->now.mono_ns);
    rig_after(rig, 0);
    assert_int_equal(late_ones(first, N), 2 * A_TURN);
    rig_sweep(rig);
    assert_int_equal(late_ones(first, N), N);
}

/* ---- memory ---- */

static size_t bytes_now;

static void *count_resize(void *context, void *p, size_t size)
{
    size_t *head = p ? (size_t *)p - 2 : NULL;

    bytes_now -= head ? *head : 0;
    if (!size) {
        free(head);
        return NULL;
    }
    head = realloc(head, size + 2 * sizeof(size_t));
    *head = size;
    bytes_now += size;
    return head + 2;
}

static void op_in(struct core *core, struct effects *out, struct client_frame *head, const struct request *r)
{
    struct now now = {.mono_ns = 5};
    struct effect *e;

    head->number++;
    core_step(core, now, &(struct input){.kind = IN_FRAME, .conn = 1, .frame = {.head = head}}, out);
    head->hello = NULL;
    if (r)
        core_step(core, now, &(struct input){.kind = IN_OP, .conn = 1, .op = r}, out);
    list_each (e, &out->list, link)
        assert_true(e->kind != EFFECT_RESULT || e->result->status == 0);
    effects_clear(core, out);
}

static void test_a_parked_receive_costs_at_most_400_bytes(void **state)
{
    enum { N = 100000 };
    struct limits limits = LIMITS_DEFAULT;
    struct allocator memory = {count_resize, NULL};
    struct core *core = core_new(&limits, &memory, 1, 7, 1);
    struct effects out;
    struct hello hello = {.session.byte = {1}};
    struct client_frame head = {.version = 1, .hello = &hello};
    struct request open = {
        .id = 1, .verb = VERB_CHAN_OPEN, .chan_open = {.name = {"x", 1}, .flags = OPEN_CREATE}};

    effects_init(&out);
    core_step(core, (struct now){.mono_ns = 5},
              &(struct input){.kind = IN_SESSION_UP, .peer = 1, .session_up.secret = hello.session}, &out);
    op_in(core, &out, &head, &open);
    uint64_t handle = (uint64_t)(1 << 14 | 7) << 40 | 1;
    size_t before = bytes_now;
    for (uint64_t id = 2; id < N + 2; id++)
        op_in(
            core, &out, &head,
            &(struct request){.id = id, .until = {UNTIL_IN, SECOND}, .verb = VERB_RECV, .recv = {handle, 1}});
    size_t each = (bytes_now - before) / N;
    core_delete(core);
    assert_int_equal(bytes_now, 0);
    assert_true(each > 100 && each <= 400);
}

#define T(name) cmocka_unit_test_setup_teardown(name, no_setup, teardown)
#define D(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_IP6_2_operations_over_the_window_are_refused),
        T(test_IP6_2_parked_operations_are_not_in_the_window),
        T(test_IP6_2_close_and_drop_never_wait_for_the_window),
        T(test_IP6_2_results_over_the_byte_bound_refuse_new_operations),
        T(test_IP6_2_receivers_over_the_byte_bound_are_passed_and_keep_their_place),
        T(test_IP6_2_a_relieved_receiver_takes_what_came_meanwhile),
        T(test_IP6_2_the_acknowledgement_of_a_part_of_a_stream_relieves_receivers),
        T(test_IP6_2_a_select_passed_over_and_then_handed_is_left_alone),
        T(test_IP6_3_a_stuck_client_does_not_delay_others),
        T(test_limit_waiters_max),
        T(test_limit_sessions_max),
        T(test_limit_sessions_per_account),
        T(test_limit_channels_max_is_given_back_with_the_channel),
        T(test_limit_handles_per_session),
        T(test_limit_channel_bytes_max_counts_until_acknowledged),
        T(test_limit_account_bytes_max_counts_all_channels_of_a_user),
        T(test_limit_value_bytes_default),
        T(test_limit_value_bytes_max),
        T(test_limit_channel_capacity_max),
        T(test_limit_value_handles_max),
        T(test_limit_lease_ms),
        T(test_limit_id_gaps_max),
        T(test_limit_list_page_max),
        T(test_limit_text_bytes_max_of_a_ping),
        T(test_limit_op_status_s),
        D(test_a_stored_result_leaves_when_its_batch_is_durable),
        D(test_a_held_result_is_not_repeated_before_its_time),
        D(test_a_failed_batch_fails_the_admission),
        D(test_a_failed_batch_of_a_completion_is_written_again),
        D(test_one_report_covers_many_batches),
        T(test_C2_a_close_with_many_waiters_goes_on_in_turns),
        T(test_C2_what_a_close_has_ended_cannot_end_otherwise),
        T(test_IP4_the_death_of_a_big_session_goes_on_in_turns),
        T(test_due_deadlines_go_on_in_turns_and_take_nothing_meanwhile),
        T(test_due_deadlines_are_bounded_by_turn_and_not_by_input),
        cmocka_unit_test(test_a_parked_receive_costs_at_most_400_bytes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
