/* Rights in the core: each group of verbs is refused in words and lets nothing happen; handles are capabilities. */
#include "core_fixture.h"

#include "rights.h"

enum { OWNER = 500, USER = 1000, OTHER = 1001 };

/* USER has one group for names that begin with "a."; OTHER has everything. */
static struct right_row rows[] = {
    {.account = OTHER, .groups = GROUPS_ALL},
    {.account = USER, .prefix = {"a.", 2}},
};
static const struct rights rights = {rows, 2};

static struct rig *rig;
static struct client *user, *other;

static int set_up(void **state)
{
    rig = rig_new();
    core_set_owner(rig->core, OWNER);
    core_set_rights(rig->core, &rights);
    user = client_of(rig, USER);
    other = client_of(rig, OTHER);
    rows[1].groups = 0;
    return 0;
}

static int tear_down(void **state)
{
    rig_delete(rig);
    return 0;
}

#define NAME(text)                                                                                           \
    {                                                                                                        \
        (text), sizeof(text) - 1                                                                             \
    }
#define LOCK_OF(text) ((struct request){.verb = VERB_LOCK, .lock.name = NAME(text)})
#define OPEN_OF(text, with, how)                                                                             \
    ((struct request){.verb = VERB_CHAN_OPEN,                                                                \
                      .chan_open = {.name = NAME(text), .rights = (with), .flags = (how)}})

/* Refused without the group, let with it, refused with it for another name. */
static void judge(uint32_t group, struct request mine, struct request foreign, const char *words)
{
    uint64_t op = client_do(user, mine);

    assert_status(user, op, -EPERM);
    if (!strstr(got(user, op)->text, words))
        fail_msg("'%s' does not say '%s'", got(user, op)->text, words);
    rows[1].groups = GROUPS_ALL & ~group;
    assert_status(user, client_do(user, mine), -EPERM);
    rows[1].groups = group;
    assert_status(user, client_do(user, foreign), -EPERM);
    assert_int_not_equal(status_of(user, client_do(user, mine)), -EPERM);
}

static void test_send_recv_and_close_are_judged_when_a_channel_is_opened(void **state)
{
    static const char *const words[] = {
        "uid:1000 may not chan_open a.x: rights_file gives it no send for that name",
        "rights_file gives it no recv", "rights_file gives it no close"};

    chan(other, "a.x", 1);
    chan(other, "b.x", 1);
    for (int bit = 0; bit < 3; bit++) {
        judge(1u << bit, OPEN_OF("a.x", 1u << bit, 0), OPEN_OF("b.x", 1u << bit, 0), words[bit]);
        rows[1].groups = 0;
    }
}

static void test_make_is_for_new_names(void **state)
{
    judge(GROUP_MAKE, OPEN_OF("a.new", 0, OPEN_CREATE), OPEN_OF("b.new", 0, OPEN_CREATE),
          "may not chan_open a.new: rights_file gives it no make for that name");
    chan(other, "a.there", 0);
    rows[1].groups = GROUP_SEND;
    assert_status(user, client_do(user, OPEN_OF("a.there", RIGHT_SEND, OPEN_CREATE)), 0);
    assert_status(user, client_do(user, OPEN_OF("a.absent", RIGHT_SEND, OPEN_CREATE)), -EPERM);
    assert_status(user, client_do(user, OPEN_OF("a.absent", RIGHT_SEND, 0)), -ENOENT);
}

static void test_an_open_for_all_gives_what_the_user_has(void **state)
{
    uint64_t h = chan(other, "a.x", 4);

    rows[1].groups = GROUP_RECV;
    uint64_t mine = got(user, client_do(user, OPEN_OF("a.x", 0, 0)))->handle;
    send1(other, h, "v");
    assert_values(user, recv1(user, mine), "v ");
    assert_status(user, send1(user, mine, "w"), -EPERM);
    assert_status(user, chan_close(user, mine), -EPERM);
    rows[1].groups = GROUP_MAKE;
    uint64_t made = got(user, client_do(user, OPEN_OF("a.made", 0, OPEN_CREATE)))->handle;
    assert_status(user, send1(user, made, "w"), -EPERM);
    assert_status(user, recv1(user, made), -EPERM);
}

/* U6: who sends a handle gives what he has, and the receiver needs no right to the name. */
static void test_U6_a_handle_in_a_value_is_a_capability(void **state)
{
    uint64_t secret = chan(other, "b.secret", 1), way = chan(other, "a.way", 1);

    rows[1].groups = GROUP_RECV;
    uint64_t mine = got(user, client_do(user, OPEN_OF("a.way", RIGHT_RECV, 0)))->handle;
    send_carrying(other, way, "v", &(struct passed){secret, RIGHT_SEND}, 1);
    uint64_t op = recv1(user, mine);
    uint64_t given = got(user, op)->value[0].handle[0].handle;
    assert_status(user, send1(user, given, "w"), 1);
    assert_status(user, recv1(user, given), -EPERM);
    assert_status(user, client_do(user, OPEN_OF("b.secret", RIGHT_SEND, 0)), -EPERM);
}

static void test_what_has_no_name_needs_no_right(void **state)
{
    uint64_t h = chan(user, "", 1);

    assert_status(user, send1(user, h, "v"), 1);
    assert_values(user, recv1(user, h), "v ");
    assert_status(user, client_do(user, (struct request){.verb = VERB_CTX_NEW}), 0);
    assert_status(user, client_do(user, (struct request){.verb = VERB_PING}), 0);
}

static void test_unlink_needs_make(void **state)
{
    judge(GROUP_MAKE, (struct request){.verb = VERB_CHAN_UNLINK, .chan_unlink.name = NAME("a.x")},
          (struct request){.verb = VERB_CHAN_UNLINK, .chan_unlink.name = NAME("b.x")},
          "may not chan_unlink a.x: rights_file gives it no make");
}

#define PUBLISH_OF(text)                                                                                     \
    (struct request)                                                                                         \
    {                                                                                                        \
        .verb = VERB_PUBLISH, .publish = {                                                                   \
            .topic = NAME(text),                                                                             \
            .messages = &(struct outgoing){.value.body = {"m", 1}},                                          \
            .messages_n = 1                                                                                  \
        }                                                                                                    \
    }
#define SUBSCRIBE_OF(text)                                                                                   \
    (struct request)                                                                                         \
    {                                                                                                        \
        .verb = VERB_SUBSCRIBE, .subscribe.pattern = NAME(text)                                              \
    }

static void test_IP14_11_publish_is_for_the_name_of_a_topic(void **state)
{
    judge(GROUP_PUBLISH, PUBLISH_OF("a.x"), PUBLISH_OF("b.x"),
          "may not publish a.x: rights_file gives it no publish");
    rows[1].groups = 0;
    judge(GROUP_PUBLISH, (struct request){.verb = VERB_TOPIC_CLOSE, .topic_close.topic = NAME("a.>")},
          (struct request){.verb = VERB_TOPIC_CLOSE, .topic_close.topic = NAME("*.x")},
          "may not topic_close a.: rights_file gives it no publish");
    judge(GROUP_TOPIC, (struct request){.verb = VERB_TOPIC_SET, .topic_set.pattern = NAME("a.>")},
          (struct request){.verb = VERB_TOPIC_SET, .topic_set.pattern = NAME("*.x")},
          "may not topic_set a.: rights_file gives it no topic");
}

static void test_IP14_11_subscribe_is_for_all_that_a_pattern_matches(void **state)
{
    judge(GROUP_SUBSCRIBE, SUBSCRIBE_OF("a.x"), SUBSCRIBE_OF("b.x"),
          "may not subscribe a.x: rights_file gives it no subscribe");
    rows[1].groups = 0;
    judge(GROUP_SUBSCRIBE, SUBSCRIBE_OF("a.*.x"), SUBSCRIBE_OF("*.x"), "rights_file gives it no subscribe");
    rows[1].groups = 0;
    judge(GROUP_SUBSCRIBE, SUBSCRIBE_OF("a.>"), SUBSCRIBE_OF(">"), "rights_file gives it no subscribe");
}

static void test_lock_is_for_every_sync_object(void **state)
{
#define SYNC_OF(verb_, member, text)                                                                         \
    {                                                                                                        \
        .verb = (verb_), .member = {.kind = SYNC_WAITGROUP, .name = NAME(text) }                             \
    }
    const struct request mine[] = {
        LOCK_OF("a.x"),
        SYNC_OF(VERB_SYNC_TAKE, sync_take, "a.g"),
        SYNC_OF(VERB_SYNC_GIVE, sync_give, "a.g"),
        SYNC_OF(VERB_SYNC_ADD, sync_add, "a.g"),
        SYNC_OF(VERB_SYNC_WAIT, sync_wait, "a.g"),
        SYNC_OF(VERB_SYNC_RESET, sync_reset, "a.g"),
        {.verb = VERB_COND_SIGNAL, .cond_signal.name = NAME("a.c")},
        {.verb = VERB_COND_WAIT, .cond_wait = {.name = NAME("a.c"), .lock = NAME("a.l")}},
    };
    const struct request foreign[] = {
        LOCK_OF("b.x"),
        SYNC_OF(VERB_SYNC_TAKE, sync_take, "b.g"),
        SYNC_OF(VERB_SYNC_GIVE, sync_give, "b.g"),
        SYNC_OF(VERB_SYNC_ADD, sync_add, "b.g"),
        SYNC_OF(VERB_SYNC_WAIT, sync_wait, "b.g"),
        SYNC_OF(VERB_SYNC_RESET, sync_reset, "b.g"),
        {.verb = VERB_COND_SIGNAL, .cond_signal.name = NAME("b.c")},
        {.verb = VERB_COND_WAIT, .cond_wait = {.name = NAME("a.c"), .lock = NAME("b.l")}},
    };

    for (size_t i = 0; i < sizeof(mine) / sizeof(*mine); i++) {
        rows[1].groups = 0;
        if (mine[i].verb == VERB_SYNC_GIVE ||
            mine[i].verb == VERB_COND_WAIT) { /* -EPERM by rules of their own */
            assert_status(user, client_do(user, mine[i]), -EPERM);
            rows[1].groups = GROUP_LOCK;
            uint64_t op = client_do(user, foreign[i]);
            assert_status(user, op, -EPERM);
            assert_non_null(strstr(got(user, op)->text, "rights_file gives it no lock"));
            continue;
        }
        judge(GROUP_LOCK, mine[i], foreign[i], "rights_file gives it no lock for that name");
    }
}

static void test_who_holds_a_lock_may_always_give_it_back(void **state)
{
    rows[1].groups = GROUP_LOCK;
    uint64_t op = client_do(user, LOCK_OF("a.x"));
    assert_status(user, op, 0);
    rows[1].groups = 0;
    struct request back = {.verb = VERB_UNLOCK,
                           .unlock = {.name = NAME("a.x"), .token = got(user, op)->handle}};
    assert_status(user, client_do(user, back), 0);
}

static uint64_t give(struct client *c, struct request_sync_give what)
{
    return client_do(c, (struct request){.verb = VERB_SYNC_GIVE, .sync_give = what});
}

static uint64_t take(struct client *c, struct request_sync_take what)
{
    return client_do(c, (struct request){.verb = VERB_SYNC_TAKE, .sync_take = what});
}

/* Whether the words are those of rights: the kinds of objects refuse with -EPERM, too. */
static void assert_no_right(struct client *c, uint64_t op)
{
    assert_status(c, op, -EPERM);
    if (!strstr(got(c, op)->text, "may not sync_give a."))
        fail_msg("'%s' is not about rights", got(c, op)->text);
}

/* The file is read again, and the user has lost what he had a right to: his hold of it is right enough to give it back. */
static void test_what_is_held_can_be_given_back_when_the_right_is_lost(void **state)
{
    struct request_sync_give units = {SYNC_SEMAPHORE, NAME("a.s"), .units = 2};
    uint64_t writer, run;

    rows[1].groups = GROUP_LOCK;
    assert_status(
        user, take(user, (struct request_sync_take){SYNC_SEMAPHORE, NAME("a.s"), .units = 2, .size = 3}), 0);
    writer = take(user, (struct request_sync_take){SYNC_RWMUTEX, NAME("a.rw")});
    run = take(user, (struct request_sync_take){SYNC_FLIGHT, NAME("a.f")});
    assert_status(user, take(user, (struct request_sync_take){SYNC_ERRGROUP, NAME("a.e")}), 0);
    client_do(other, (struct request){.verb = VERB_SYNC_RESET, .sync_reset = {SYNC_FLIGHT, NAME("a.f")}});
    rows[1].groups = 0;
    assert_status(user, take(user, (struct request_sync_take){SYNC_RWMUTEX, NAME("a.rw")}), -EPERM);
    units.units = 3;
    assert_no_right(user, give(user, units));
    units.units = 2;
    assert_status(user, give(user, units), 0);
    assert_no_right(user, give(user, units));
    assert_status(user,
                  give(user, (struct request_sync_give){SYNC_RWMUTEX, NAME("a.rw"),
                                                        .token = got(user, writer)->handle}),
                  0);
    assert_status(
        user,
        give(user, (struct request_sync_give){SYNC_FLIGHT, NAME("a.f"), .token = got(user, run)->handle}), 0);
    assert_status(user, give(user, (struct request_sync_give){SYNC_ERRGROUP, NAME("a.e")}), 0);
    assert_no_right(user, give(user, (struct request_sync_give){SYNC_ERRGROUP, NAME("a.e")}));
}

/* PROTOCOL, SyncGive: of these kinds `units` says nothing, so a client may leave there what it likes. */
static void test_units_that_are_not_counted_do_not_keep_what_is_held(void **state)
{
    static const uint32_t kinds[] = {SYNC_RWMUTEX, SYNC_ONCE, SYNC_FLIGHT, SYNC_ERRGROUP, SYNC_BREAKER};

    for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
        const struct request_sync_take what = {
            .kind = kinds[i], .name = NAME("a.x"), .size = 2, .period_ns = MS};

        rows[1].groups = GROUP_LOCK;
        uint64_t op = take(user, what);
        assert_true(status_of(user, op) >= 0);
        rows[1].groups = 0;
        assert_status(
            user,
            give(user, (struct request_sync_give){kinds[i], what.name, 77, .token = got(user, op)->handle}),
            0);
        client_do(other, (struct request){.verb = VERB_SYNC_RESET, .sync_reset = {kinds[i], what.name}});
    }
}

static void test_units_that_are_not_ones_own_are_settled_with_the_right_only(void **state)
{
    struct request_sync_give one = {SYNC_WAITGROUP, NAME("a.wg"), .units = 1};

    rows[1].groups = GROUP_LOCK;
    client_do(other, (struct request){.verb = VERB_SYNC_ADD,
                                      .sync_add = {SYNC_WAITGROUP, NAME("a.wg"), 2, ADD_DETACHED}});
    client_do(user, (struct request){.verb = VERB_SYNC_ADD, .sync_add = {SYNC_WAITGROUP, NAME("a.wg"), 1}});
    assert_status(user, give(user, (struct request_sync_give){SYNC_WAITGROUP, NAME("a.wg"), .units = 2}), 0);
    client_do(user, (struct request){.verb = VERB_SYNC_ADD, .sync_add = {SYNC_WAITGROUP, NAME("a.wg"), 1}});
    rows[1].groups = 0;
    assert_status(user, give(user, one), 0);
    assert_no_right(user, give(user, one));
    assert_status(other, give(other, one), 0);
}

static void test_context_is_for_contexts_by_name(void **state)
{
    judge(GROUP_CONTEXT, (struct request){.verb = VERB_CTX_NEW, .ctx_new.name = NAME("a.c")},
          (struct request){.verb = VERB_CTX_NEW, .ctx_new.name = NAME("b.c")},
          "may not ctx_new a.c: rights_file gives it no context for that name");
    rows[1].groups = GROUP_CONTEXT;
    assert_status(user,
                  client_do(user, (struct request){.verb = VERB_CTX_NEW, .ctx_new.parent_name = NAME("b.c")}),
                  -EPERM);
    assert_status(
        user, client_do(user, (struct request){.verb = VERB_CTX_NEW, .ctx_new.group = NAME("b.eg")}), -EPERM);
    for (enum verb verb = VERB_CTX_CANCEL; verb <= VERB_CTX_WATCH; verb++) {
        struct request r = {.verb = verb, .ctx_cancel.name = NAME("b.c")};
        if (verb == VERB_CTX_DROP)
            r = (struct request){.verb = verb, .ctx_drop.name = NAME("b.c")};
        if (verb == VERB_CTX_INFO)
            r = (struct request){.verb = verb, .ctx_info.name = NAME("b.c")};
        if (verb == VERB_CTX_WATCH)
            r = (struct request){.verb = verb, .ctx_watch.name = NAME("b.c")};
        assert_status(user, client_do(user, r), -EPERM);
    }
}

/* Numbers of contexts can be guessed: a name is judged also where its number stands. */
static void test_the_number_of_a_foreign_context_is_no_way_around(void **state)
{
    uint64_t id =
        got(other, client_do(other, (struct request){.verb = VERB_CTX_NEW, .ctx_new.name = NAME("b.c")}))
            ->handle;

    rows[1].groups = GROUP_CONTEXT;
    assert_status(user, client_do(user, (struct request){.verb = VERB_CTX_CANCEL, .ctx_cancel.context = id}),
                  -EPERM);
    assert_status(user, client_do(user, (struct request){.verb = VERB_CTX_WATCH, .ctx_watch.context = id}),
                  -EPERM);
    assert_status(user, client_do(user, (struct request){.verb = VERB_CTX_NEW, .ctx_new.parent = id}),
                  -EPERM);
    uint64_t h = chan(user, "", 0);
    assert_status(user, recv1(under(user, id), h), -EPERM);
    uint64_t op = client_do(other, (struct request){.verb = VERB_CTX_INFO, .ctx_info.context = id});
    assert_int_equal(got(other, op)->ctx.status, 0);
}

static void test_inspect_is_for_lists_and_counters(void **state)
{
    judge(GROUP_INSPECT, (struct request){.verb = VERB_TOPIC_LIST, .topic_list.pattern = NAME("a.*")},
          (struct request){.verb = VERB_TOPIC_LIST}, "rights_file gives it no inspect for that name");
    rows[1].groups = 0;
    judge(GROUP_INSPECT, (struct request){.verb = VERB_TOPIC_INFO, .topic_info.topic = NAME("a.x")},
          (struct request){.verb = VERB_TOPIC_INFO, .topic_info.topic = NAME("b.x")},
          "rights_file gives it no inspect for that name");
    rows[1].groups = 0;
    judge(GROUP_INSPECT, (struct request){.verb = VERB_CHAN_LIST, .chan_list.prefix = NAME("a.")},
          (struct request){.verb = VERB_CHAN_LIST}, "rights_file gives it no inspect for that name");
    rows[1].groups = 0;
    judge(GROUP_INSPECT, (struct request){.verb = VERB_CTX_LIST, .ctx_list.prefix = NAME("a.b")},
          (struct request){.verb = VERB_CTX_LIST, .ctx_list.prefix = NAME("b.")}, "no inspect");
    rows[1].groups = 0;
    judge(GROUP_INSPECT, (struct request){.verb = VERB_CHAN_INFO, .chan_info.name = NAME("a.x")},
          (struct request){.verb = VERB_CHAN_INFO, .chan_info.name = NAME("b.x")}, "no inspect");
    for (int i = 0; i < 4; i++) {
        const enum verb verbs[] = {VERB_STATS, VERB_DUMP, VERB_DEADLOCKS, VERB_LEAKS};
        rows[1].groups = GROUPS_ALL & ~GROUP_INSPECT;
        uint64_t op = client_do(user, (struct request){.verb = verbs[i]});
        assert_status(user, op, -EPERM);
        assert_non_null(strstr(got(user, op)->text, "rights_file gives it no inspect"));
        rows[1].groups = GROUP_INSPECT;
        assert_status(user, client_do(user, (struct request){.verb = verbs[i]}), 0);
    }
}

static void test_submit_is_for_the_queue_and_for_the_function(void **state)
{
    struct request submit = {
        .verb = VERB_SUBMIT,
        .submit = {.queue = NAME("b.slow"), .plugin = NAME("a.so"), .function = NAME("f")}};
    uint64_t op;

    rows[1].groups = GROUP_SUBMIT;
    op = client_do(user, submit);
    assert_status(user, op, -EPERM);
    assert_non_null(strstr(got(user, op)->text, "may not submit b.slow: rights_file gives it no submit"));
    submit.submit.queue = (struct bytes)NAME("a.slow");
    submit.submit.plugin = (struct bytes)NAME("b.so");
    op = client_do(user, submit);
    assert_status(user, op, -EPERM);
    assert_non_null(strstr(got(user, op)->text, "may not submit b.so:f: rights_file gives it no submit"));
    submit.submit.queue = (struct bytes){0};
    op = client_do(user, submit);
    assert_non_null(strstr(got(user, op)->text, "may not submit default: rights_file"));
    rows[1].groups = 0;
    op = client_do(user, (struct request){.verb = VERB_JOB_LIST});
    assert_non_null(strstr(got(user, op)->text, "may not job_list : rights_file gives it no submit"));
}

static void test_a_worker_needs_the_right_for_each_of_its_queues(void **state)
{
    struct request reserve = {.verb = VERB_WORK_RESERVE, .work_reserve.queues = NAME("a.slow b.slow")};
    uint64_t op;

    rows[1].groups = GROUP_WORK;
    op = client_do(user, reserve);
    assert_status(user, op, -EPERM);
    assert_non_null(strstr(got(user, op)->text, "may not work_reserve b.slow: rights_file gives it no work"));
    reserve.work_reserve.queues = (struct bytes)NAME(" a.slow  a.fast ");
    assert_int_not_equal(status_of(user, client_do(user, reserve)), -EPERM); /* the fake has no workers */
    reserve.work_reserve.queues = (struct bytes){0};
    op = client_do(user, reserve);
    assert_non_null(strstr(got(user, op)->text, "may not work_reserve default: rights_file"));
}

static void test_admin_is_for_the_clock(void **state)
{
    core_allow_clock(rig->core);
    rows[1].groups = GROUPS_ALL & ~GROUP_ADMIN;
    assert_status(user, client_do(user, (struct request){.verb = VERB_CLOCK_ADVANCE}), -EPERM);
    rows[1].groups = GROUP_ADMIN;
    assert_status(user, client_do(user, (struct request){.verb = VERB_CLOCK_ADVANCE, .clock_advance.ns = 1}),
                  0);
}

static void test_inspect_is_for_what_queues_are_told_of(void **state)
{
    judge(GROUP_INSPECT, (struct request){.verb = VERB_QUEUE_INFO, .queue_info.name = NAME("a.slow")},
          (struct request){.verb = VERB_QUEUE_INFO, .queue_info.name = NAME("b.slow")},
          "may not queue_info a.slow: rights_file gives it no inspect for that name");
    rows[1].groups = 0;
    judge(GROUP_INSPECT, (struct request){.verb = VERB_QUEUE_LIST, .queue_list.prefix = NAME("a.")},
          (struct request){.verb = VERB_QUEUE_LIST}, "no inspect");
}

static void test_admin_is_for_setting_pausing_and_purging_queues(void **state)
{
    judge(GROUP_ADMIN, (struct request){.verb = VERB_QUEUE_SET, .queue_set.name = NAME("a.slow")},
          (struct request){.verb = VERB_QUEUE_SET, .queue_set.name = NAME("b.slow")},
          "may not queue_set a.slow: rights_file gives it no admin for that name");
    rows[1].groups = 0;
    judge(GROUP_ADMIN, (struct request){.verb = VERB_QUEUE_PAUSE, .queue_pause.name = NAME("a.slow")},
          (struct request){.verb = VERB_QUEUE_PAUSE, .queue_pause.name = NAME("b.slow")}, "no admin");
    rows[1].groups = 0;
    judge(GROUP_ADMIN, (struct request){.verb = VERB_QUEUE_PURGE, .queue_purge.name = NAME("a.slow")},
          (struct request){.verb = VERB_QUEUE_PURGE, .queue_purge.name = NAME("b.slow")}, "no admin");
}

/* About no name: the group for any of them will do. */
static void test_dead_letters_drains_and_questions_to_hosts_need_their_group(void **state)
{
    static const struct {
        enum verb verb;
        uint32_t group;
        const char *words;
    } rows_of[] = {{VERB_JOB_RETRY, GROUP_SUBMIT, "no submit"},
                   {VERB_JOB_PURGE, GROUP_SUBMIT, "no submit"},
                   {VERB_INSPECT, GROUP_INSPECT, "no inspect"},
                   {VERB_GOROUTINES, GROUP_ADMIN, "no admin"},
                   {VERB_DRAIN, GROUP_ADMIN, "no admin"}};

    for (size_t i = 0; i < sizeof(rows_of) / sizeof(*rows_of); i++) {
        struct request request = {.verb = rows_of[i].verb};
        rows[1].groups = GROUPS_ALL & ~rows_of[i].group;
        uint64_t op = client_do(user, request);
        assert_status(user, op, -EPERM);
        assert_non_null(strstr(got(user, op)->text, rows_of[i].words));
        rows[1].groups = rows_of[i].group;
        assert_int_not_equal(status_of(user, client_do(user, request)), -EPERM);
    }
}

static void test_root_and_the_daemons_user_may_everything(void **state)
{
    struct client *root = client_of(rig, 0), *owner = client_of(rig, OWNER);

    assert_status(root, client_do(root, LOCK_OF("z")), 0);
    assert_status(owner, client_do(owner, OPEN_OF("z", 0, OPEN_CREATE)), 0);
    assert_status(owner, client_do(owner, (struct request){.verb = VERB_CHAN_LIST}), 0);
}

static void test_a_refusal_changes_nothing_and_is_judged_again(void **state)
{
    uint64_t op = client_do(user, LOCK_OF("a.x"));

    assert_status(user, op, -EPERM);
    assert_status(other, client_do(at_once(other), LOCK_OF("a.x")), 0);
    rows[1].groups = GROUP_LOCK;
    client_again(user, LOCK_OF("a.y"), op);
    assert_status(user, op, 0);
}

static void test_the_key_is_told_by_name(void **state)
{
    struct client *far = calloc(1, sizeof(*far));

    far->rig = rig;
    far->next = rig->clients;
    rig->clients = far;
    far->peer = ++rig->peers;
    far->conn = ++rig->conns;
    far->secret.byte[3] = 9;
    far->who = (struct credentials){.uid = key_account("mailer"), .known = true, .key = "mailer"};
    rig_step(rig, &(struct input){.kind = IN_SESSION_UP,
                                  .peer = far->peer,
                                  .session_up = {.secret = far->secret, .who = far->who, .lease = true}});
    client_hello(far);
    uint64_t op = client_do(far, LOCK_OF("a.x"));
    assert_string_equal(got(far, op)->text,
                        "key:mailer may not lock a.x: rights_file gives it no lock for that name");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_send_recv_and_close_are_judged_when_a_channel_is_opened),
        TEST(test_make_is_for_new_names),
        TEST(test_an_open_for_all_gives_what_the_user_has),
        TEST(test_U6_a_handle_in_a_value_is_a_capability),
        TEST(test_what_has_no_name_needs_no_right),
        TEST(test_unlink_needs_make),
        TEST(test_IP14_11_publish_is_for_the_name_of_a_topic),
        TEST(test_IP14_11_subscribe_is_for_all_that_a_pattern_matches),
        TEST(test_lock_is_for_every_sync_object),
        TEST(test_who_holds_a_lock_may_always_give_it_back),
        TEST(test_what_is_held_can_be_given_back_when_the_right_is_lost),
        TEST(test_units_that_are_not_counted_do_not_keep_what_is_held),
        TEST(test_units_that_are_not_ones_own_are_settled_with_the_right_only),
        TEST(test_context_is_for_contexts_by_name),
        TEST(test_the_number_of_a_foreign_context_is_no_way_around),
        TEST(test_inspect_is_for_lists_and_counters),
        TEST(test_submit_is_for_the_queue_and_for_the_function),
        TEST(test_a_worker_needs_the_right_for_each_of_its_queues),
        TEST(test_admin_is_for_the_clock),
        TEST(test_inspect_is_for_what_queues_are_told_of),
        TEST(test_admin_is_for_setting_pausing_and_purging_queues),
        TEST(test_dead_letters_drains_and_questions_to_hosts_need_their_group),
        TEST(test_root_and_the_daemons_user_may_everything),
        TEST(test_a_refusal_changes_nothing_and_is_judged_again),
        TEST(test_the_key_is_told_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
