/* What is told about waiting operations: DUMP (Z5, IP9.4). */
#include "core_fixture.h"

static struct rig *rig;
static struct client *a, *b, *root;

static int setup(void **state)
{
    rig = rig_new();
    a = client_new(rig);
    b = client_of(rig, 7);
    root = client_of(rig, 0);
    return 0;
}

static int teardown(void **state)
{
    rig_delete(rig);
    return 0;
}

static const struct got *dump(struct client *c, struct request_dump what)
{
    uint64_t op = client_do(c, (struct request){.verb = VERB_DUMP, .dump = what});

    assert_status(c, op, 0);
    const struct got *g = got(c, op);
    ack(c, op, 0);
    return g;
}

static const struct got_wait *row_of(const struct got *g, struct client *c, uint64_t op)
{
    for (size_t i = 0; i < g->waits_n; i++)
        if (g->waits[i].info.pid == c->who.pid && g->waits[i].info.op == op)
            return &g->waits[i];
    return NULL;
}

static uint64_t lock(struct client *c, const char *name)
{
    return client_do(c, (struct request){.verb = VERB_LOCK, .lock.name = {name, strlen(name)}});
}

static void test_IP9_a_row_names_session_process_operation_object_and_age(void **state)
{
    uint64_t x = chan(a, "x", 0), op = recv1(a, x);

    rig_after(rig, 3 * (int64_t)SECOND);
    const struct got *g = dump(a, (struct request_dump){0});
    assert_int_equal(g->waits_n, 1);
    assert_int_equal(g->flags & RESULT_MORE, 0);
    const struct got_wait *row = &g->waits[0];
    assert_int_equal(row->info.session, 1);
    assert_int_equal(row->info.op, op);
    assert_int_equal(row->info.pid, a->who.pid);
    assert_int_equal(row->info.uid, 1000);
    assert_int_equal(row->info.verb, VERB_RECV);
    assert_int_equal(row->info.age_ns, 3 * (int64_t)SECOND);
    assert_int_equal(row->info.left_ns, 0);
    assert_string_equal(row->reason, "channel receive");
    assert_string_equal(row->kind, "channel");
    assert_string_equal(row->object, "x");
}

static void test_IP9_every_kind_of_wait_says_for_what(void **state)
{
    uint64_t x = chan(a, "x", 0), y = chan(a, "y", 1), none = chan(a, NULL, 0);

    lock(a, "m");
    uint64_t send = send_many(a, y, "1 2"), lost = recv1(a, none), locks = lock(a, "m"),
             many = SELECT(a, CASE_R(x), CASE_S(y, "v"));
    const struct got *g = dump(a, (struct request_dump){0});
    assert_int_equal(g->waits_n, 4);
    assert_string_equal(row_of(g, a, send)->reason, "channel send");
    assert_string_equal(row_of(g, a, send)->object, "y");
    assert_non_null(strstr(row_of(g, a, lost)->object, "handle "));
    assert_string_equal(row_of(g, a, locks)->kind, "lock");
    assert_string_equal(row_of(g, a, locks)->object, "m");
    assert_string_equal(row_of(g, a, many)->object, "recv x, send y");
    assert_int_equal(row_of(g, a, many)->info.cases, 2);
}

static void test_U2_a_sender_that_was_matched_waits_for_the_acknowledgement(void **state)
{
    uint64_t x = chan(a, "x", 0), op = send1(a, x, "v");

    recv1(b, chan(b, "x", 0));
    const struct got *g = dump(a, (struct request_dump){0});
    assert_int_equal(g->waits_n, 1);
    assert_string_equal(row_of(g, a, op)->reason, "acknowledgement");
}

static void test_a_deadline_is_told_as_the_time_that_is_left(void **state)
{
    uint64_t x = chan(a, "x", 0), op = recv1(within(a, 5 * (int64_t)SECOND), x);

    rig_after(rig, 2 * (int64_t)SECOND);
    assert_int_equal(row_of(dump(a, (struct request_dump){0}), a, op)->info.left_ns, 3 * (int64_t)SECOND);
    rig_after(rig, 4 * (int64_t)SECOND);
    assert_int_equal(dump(a, (struct request_dump){0})->waits_n, 0);
}

static void test_IP0_the_age_of_a_wait_survives_an_undone_match(void **state)
{
    uint64_t x = chan(a, "x", 0), op = send1(a, x, "v");

    rig_after(rig, SECOND);
    recv1(b, chan(b, "x", 0));
    rig_after(rig, SECOND);
    client_die(b);
    assert_int_equal(row_of(dump(a, (struct request_dump){0}), a, op)->info.age_ns, 2 * (int64_t)SECOND);
}

static void test_IP9_only_root_and_the_daemons_user_see_what_others_wait_for(void **state)
{
    core_set_owner(rig->core, 9);
    struct client *owner = client_of(rig, 9);
    uint64_t mine = recv1(a, chan(a, "x", 0)), theirs = recv1(b, chan(b, "x", 0));

    const struct got *g = dump(a, (struct request_dump){0});
    assert_int_equal(g->waits_n, 1);
    assert_non_null(row_of(g, a, mine));
    g = dump(b, (struct request_dump){.session = 1});
    assert_int_equal(g->waits_n, 0);
    assert_int_equal(dump(root, (struct request_dump){0})->waits_n, 2);
    g = dump(owner, (struct request_dump){0});
    assert_int_equal(g->waits_n, 2);
    assert_non_null(row_of(g, b, theirs));
}

static void test_a_filter_leaves_session_object_and_age(void **state)
{
    uint64_t x = chan(a, "x", 0), y = chan(a, "y", 0), old = recv1(a, x);

    lock(b, "y");
    rig_after(rig, SECOND);
    uint64_t waits = lock(a, "y"), two = SELECT(a, CASE_R(x), CASE_R(y));
    recv1(b, chan(b, "z", 0));
    assert_int_equal(dump(root, (struct request_dump){.session = 1})->waits_n, 3);
    assert_int_equal(dump(root, (struct request_dump){.session = 2})->waits_n, 1);
    assert_int_equal(dump(root, (struct request_dump){.session = 77})->waits_n, 0);
    const struct got *g = dump(root, (struct request_dump){.object = {"y", 1}});
    assert_int_equal(g->waits_n, 2);
    assert_true(row_of(g, a, waits) && row_of(g, a, two));
    g = dump(root, (struct request_dump){.age_ns = SECOND});
    assert_int_equal(g->waits_n, 1);
    assert_non_null(row_of(g, a, old));
}

enum { MANY = 500 };

/* Page after page; how often each operation of the client was told. */
static size_t all_pages(struct client *c, uint32_t limit, unsigned told[2 * MANY],
                        void (*between)(size_t page))
{
    struct request_dump ask = {.limit = limit};
    size_t pages = 0;

    for (bool more = true; more; pages++) {
        const struct got *g = dump(c, ask);

        for (size_t i = 0; i < g->waits_n; i++)
            told[g->waits[i].info.op]++;
        more = g->flags & RESULT_MORE;
        ask.from_session = g->handle;
        ask.from_place = g->index;
        if (between)
            between(pages);
    }
    return pages;
}

static void test_pages_tell_each_operation_once(void **state)
{
    unsigned told[2 * MANY] = {0};
    uint64_t x = chan(a, "x", 0), first = recv1(a, x), last = first;

    for (int i = 1; i < MANY; i++)
        last = recv1(a, x);
    assert_true(all_pages(root, 7, told, NULL) > MANY / 20);
    for (uint64_t op = first; op <= last; op++)
        assert_int_equal(told[op], 1);
}

static uint64_t grown;

/* The table doubles under the walk, and operations end. */
static void grow(size_t page)
{
    if (page < 8)
        for (int i = 0; i < 40; i++)
            recv1(a, grown);
    if (page == 8)
        send1(b, chan(b, "other", 4), "x");
}

static void test_what_waits_from_the_first_page_to_the_last_is_told(void **state)
{
    unsigned told[2 * MANY] = {0};
    uint64_t x = chan(a, "x", 0), first = recv1(a, x), last = first;

    grown = x;
    for (int i = 1; i < 60; i++)
        last = recv1(a, x);
    all_pages(root, 3, told, grow);
    for (uint64_t op = first; op <= last; op++)
        assert_true(told[op] >= 1);
}

static void test_a_page_looks_at_a_bounded_number_of_operations(void **state)
{
    struct limits limits = LIMITS_DEFAULT;
    limits.sweep_per_turn = 16;
    struct rig *small = rig_with(&limits, 1);
    struct client *c = client_new(small);
    uint64_t x = chan(c, "x", 0);

    for (int i = 0; i < 200; i++)
        recv1(c, x);
    const struct got *g = dump(c, (struct request_dump){.object = {"nobody", 6}});
    assert_int_equal(g->waits_n, 0);
    assert_true(g->flags & RESULT_MORE);
    rig_delete(small);
}

static void test_the_program_is_told_as_it_named_itself(void **state)
{
    struct client *c = client_up(rig, 1000, false, 0);
    struct hello hello = {.session = c->secret,
                          .program = {"a-program-with-a-name-of-more-than-31-bytes", 43}};

    client_frame(c, (struct client_frame){.hello = &hello});
    uint64_t op = recv1(c, chan(c, "x", 0));
    assert_string_equal(row_of(dump(c, (struct request_dump){0}), c, op)->program,
                        "a-program-with-a-name-of-more-t");
}

static void test_a_wait_whose_channel_has_closed_is_over(void **state)
{
    struct limits limits = LIMITS_DEFAULT;
    limits.sweep_per_turn = 1;
    struct rig *slow = rig_with(&limits, 1);
    struct client *c = client_new(slow), *d = client_new(slow);
    uint64_t x = chan(c, "x", 0);

    for (int i = 0; i < 10; i++)
        recv1(c, x);
    chan_close(c, x);
    struct request_dump ask = {.session = 1};
    assert_int_equal(dump(d, ask)->waits_n, 0);
    rig_delete(slow);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_IP9_a_row_names_session_process_operation_object_and_age),
        T(test_IP9_every_kind_of_wait_says_for_what),
        T(test_U2_a_sender_that_was_matched_waits_for_the_acknowledgement),
        T(test_a_deadline_is_told_as_the_time_that_is_left),
        T(test_IP0_the_age_of_a_wait_survives_an_undone_match),
        T(test_IP9_only_root_and_the_daemons_user_see_what_others_wait_for),
        T(test_a_filter_leaves_session_object_and_age),
        T(test_pages_tell_each_operation_once),
        T(test_what_waits_from_the_first_page_to_the_last_is_told),
        T(test_a_page_looks_at_a_bounded_number_of_operations),
        T(test_the_program_is_told_as_it_named_itself),
        T(test_a_wait_whose_channel_has_closed_is_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
