/*
 * A select over channels of the daemon and of this process (IP5.3). Values carry numbers: whatever is sent is received
 * once, by the select or by whoever looks afterwards.
 */
#include <goroutine_host.h>

#include <stdio.h>

#include "client_node.h"
#include "goclient_go.h"
#include "goclient_topic.h"

enum { RACES = 300, MEETINGS = 100 };

static const char *failure; /* of the goroutines: cmocka's own checks do not work there */

#define CHECK(condition)                                                                                     \
    do {                                                                                                     \
        if (!(condition))                                                                                    \
            failure = #condition;                                                                            \
    } while (0)

static int run_program(void *arg)
{
    void (*const *fn)(gc_client * g) = arg;
    struct gc_options options = {
        .size = sizeof options, .endpoint = node->endpoint, .answer_ms = NODE_ANSWER_MS};
    gc_client *g;
    CHECK(gc_go_connect(&options, &g, NULL) == 0);
    if (!failure)
        (*fn)(g);
    gc_disconnect(g);
    return 0;
}

static void run_goroutines(void (*fn)(gc_client *g))
{
    failure = NULL;
    go_set_procs(2);
    assert_int_equal(go_main(run_program, &fn), 0);
    if (failure)
        fail_msg("%s", failure);
}

static gc_chan opened(gc_client *g, const char *name, uint64_t capacity)
{
    gc_chan c = GC_NIL;
    CHECK(gc_make(g, name, capacity, &c, GC_FOREVER) == 0);
    return c;
}

static void until_receivers(gc_client *g, gc_chan c, uint64_t n)
{
    struct gc_chan_info info;
    do
        CHECK(gc_chan_info(g, c, &info, GC_FOREVER) == 0);
    while (info.receivers != n && !failure);
}

static bool is_text(struct gc_value *v, const char *text)
{
    bool same = v->size == strlen(text) && memcmp(v->data, text, v->size) == 0;
    gc_value_clear(v);
    return same;
}

/* ---- messages of a topic ---- */

struct publisher {
    gc_client *g;
    gc_chan subscription;
};

static void publish_one(void *arg)
{
    const struct publisher *me = arg;
    until_receivers(me->g, me->subscription, 1);
    CHECK(gc_publish(me->g, "mixed.news", gc_string("v"), NULL, NULL, GC_FOREVER) == 0);
}

static void messages_and_values(gc_client *g)
{
    const struct gc_subscribe_options options = {
        .size = sizeof options, .capacity = 1, .slow = GC_SLOW_DISCONNECTS};
    struct publisher publisher = {g, GC_NIL};
    CHECK(gc_subscribe(g, "mixed.*", &options, &publisher.subscription, GC_FOREVER) == 0);
    go_chan *near = go_chan_new(sizeof(int), 1);
    struct gc_value v;
    int got = 0;
    struct gc_case remote[] = {gc_case_recv(publisher.subscription, &v)};
    struct go_case local[] = {GO_RECV(near, &got)};
    CHECK(go_spawn(publish_one, &publisher, sizeof publisher) == 0);
    CHECK(gc_go_select(g, remote, 1, local, 1, 0, GO_FOREVER) == 0 && remote[0].status == 1);
    CHECK(gc_message(&v) && strcmp(gc_message(&v)->topic, "mixed.news") == 0 && is_text(&v, "v"));
    CHECK(go_chan_send(near, &(int){7}, GO_FOREVER) == 0);
    CHECK(gc_go_select(g, remote, 1, local, 1, 0, GO_FOREVER) == 1 && got == 7);
    for (int i = 0; i < 2; i++)
        CHECK(gc_publish(g, "mixed.news", gc_string("w"), NULL, NULL, GC_FOREVER) == 0);
    CHECK(gc_go_select(g, remote, 1, local, 1, 0, GO_FOREVER) == 0 && is_text(&v, "w"));
    CHECK(gc_go_select(g, remote, 1, local, 1, 0, GO_FOREVER) == 0 && remote[0].status == -ENOBUFS);
    go_chan_unref(near);
}

static void test_IP14_2_a_subscription_is_a_remote_case(void **state)
{
    run_goroutines(messages_and_values);
}

/* ---- one side is ready ---- */

static void each_side_alone(gc_client *g)
{
    gc_chan far = opened(g, "mixed.alone", 1);
    go_chan *near = go_chan_new(sizeof(int), 1);
    struct gc_value v;
    int n = 7, got = 0;
    struct gc_case remote[] = {gc_case_recv(GC_NIL, &v), gc_case_recv(far, &v)};
    struct go_case local[] = {GO_RECV(NULL, &got), GO_RECV(near, &got)};
    for (int i = 0; i < 20; i++) {
        CHECK(gc_go_select(g, remote, 2, local, 2, 0, GO_NOW) == -EAGAIN);
        CHECK(gc_send(g, far, gc_string("v"), GC_FOREVER) == 0);
        CHECK(gc_go_select(g, remote, 2, local, 2, 0, i % 2 ? GO_NOW : GO_FOREVER) == 1);
        CHECK(remote[1].status == 1 && is_text(&v, "v"));
        CHECK(go_chan_send(near, &n, GO_NOW) == 0);
        CHECK(gc_go_select(g, remote, 2, local, 2, 0, i % 2 ? GO_NOW : GO_FOREVER) == 3);
        CHECK(local[1].result == 1 && got == 7);
    }
    CHECK(gc_go_select(g, remote, 2, local, 2, 0, go_after_ms(2)) == -ETIMEDOUT);
    until_receivers(g, far, 0);
    CHECK(gc_go_select(g, remote, 0, local, 2, 0, GO_NOW) == -EINVAL);
    CHECK(gc_close(g, far, GC_FOREVER) == 0);
    CHECK(gc_go_select(g, remote, 2, local, 2, 0, GO_FOREVER) == 1 && remote[1].status == 0);
    go_chan_unref(near);
}

static void test_IP5_3_the_side_that_is_ready_is_taken(void **state)
{
    run_goroutines(each_side_alone);
}

/* ---- both become ready while it waits ---- */

struct race {
    gc_client *g;
    gc_chan far;
    go_chan *near, *done;
    int index;
    bool sends; /* the remote case is a send */
    struct gc_value v;
    int got;
};

static void select_once(void *arg)
{
    struct race *race = arg;
    struct gc_case remote =
        race->sends ? gc_case_send(race->far, gc_string("mine")) : gc_case_recv(race->far, &race->v);
    struct go_case local = GO_RECV(race->near, &race->got);
    race->index = gc_go_select(race->g, &remote, 1, &local, 1, 0, GO_FOREVER);
    go_chan_close(race->done);
}

static void race_begin(struct race *race)
{
    *race = (struct race){
        .g = race->g, .far = race->far, .near = race->near, .sends = race->sends, .done = go_chan_new(0, 0)};
    CHECK(go_spawn(select_once, race, 0) == 0);
}

static void race_wait(struct race *race)
{
    go_chan_recv(race->done, NULL, GO_FOREVER);
    go_chan_unref(race->done);
}

/* Receives: exactly one of the two values was taken, and the other lies where it was sent. */
static void judge_receive(struct race *race, int *far_won)
{
    struct gc_value v;
    int got;
    race_wait(race);
    CHECK(race->index == 0 || race->index == 1);
    *far_won += race->index == 0;
    if (race->index == 0)
        CHECK(is_text(&race->v, "far") && go_chan_recv(race->near, &got, GO_NOW) == 1 && got == 1);
    else
        CHECK(race->got == 1 && gc_recv(race->g, race->far, &v, 0, GC_NOW) == 1 && is_text(&v, "far"));
    CHECK(go_chan_recv(race->near, &got, GO_NOW) == -EAGAIN);
    CHECK(gc_recv(race->g, race->far, &v, 0, GC_NOW) == -EAGAIN);
}

static void race_of_receives(gc_client *g)
{
    struct race race = {.g = g, .far = opened(g, "mixed.race", 1), .near = go_chan_new(sizeof(int), 1)};
    int one = 1, far_won = 0;
    for (int i = 0; i < RACES && !failure; i++) {
        race_begin(&race);
        until_receivers(g, race.far, 1);
        if (i % 2)
            CHECK(go_chan_send(race.near, &one, GO_FOREVER) == 0);
        CHECK(gc_send(g, race.far, gc_string("far"), GC_FOREVER) == 0);
        if (i % 2 == 0)
            CHECK(go_chan_send(race.near, &one, GO_FOREVER) == 0);
        judge_receive(&race, &far_won);
    }
    CHECK(far_won >= RACES / 2); /* sent first, it was committed first */
    go_chan_unref(race.near);
}

static void test_IP5_3_one_of_two_receives_takes_and_the_other_value_stays(void **state)
{
    run_goroutines(race_of_receives);
}

/* The remote case sends: it went out exactly when the select says so. */
static void race_of_a_send(gc_client *g)
{
    struct race race = {
        .g = g, .far = opened(g, "mixed.send", 1), .near = go_chan_new(sizeof(int), 1), .sends = true};
    int one = 1, got;
    struct gc_value v;
    for (int i = 0; i < RACES && !failure; i++) {
        CHECK(gc_send(g, race.far, gc_string("full"), GC_FOREVER) == 0);
        race_begin(&race);
        if (i % 3)
            go_yield();
        if (i % 2)
            CHECK(go_chan_send(race.near, &one, GO_FOREVER) == 0);
        CHECK(gc_recv(g, race.far, &v, 0, GC_FOREVER) == 1 && is_text(&v, "full"));
        if (i % 2 == 0)
            CHECK(go_chan_send(race.near, &one, GO_FOREVER) == 0);
        race_wait(&race);
        CHECK(race.index == 0 || race.index == 1);
        CHECK(gc_recv(g, race.far, &v, 0, GC_NOW) == (race.index == 0 ? 1 : -EAGAIN));
        if (race.index == 0)
            CHECK(is_text(&v, "mine"));
        CHECK(go_chan_recv(race.near, &got, GO_NOW) == (race.index == 0 ? 1 : -EAGAIN));
    }
    go_chan_unref(race.near);
}

static void test_IP5_3_a_send_that_lost_was_never_seen(void **state)
{
    run_goroutines(race_of_a_send);
}

/* ---- what stirred is gone ---- */

struct crowd {
    gc_client *g;
    gc_chan far;
    go_chan *near;
    go_waitgroup *group;
    _Atomic int *far_n, *near_n;
};

static void select_until_closed(void *arg)
{
    struct crowd *c = arg;
    struct gc_value v;
    int got, r;
    do {
        struct gc_case remote = gc_case_recv(c->far, &v);
        struct go_case local = GO_RECV(c->near, &got);
        r = gc_go_select(c->g, &remote, 1, &local, 1, 0, GO_FOREVER);
        CHECK(r == 0 || r == 1);
        if (r == 0 && remote.status == 0)
            break;
        *(r ? c->near_n : c->far_n) += 1;
        if (r == 0)
            gc_value_clear(&v);
    } while (!failure);
    go_waitgroup_done(c->group);
}

static void crowd_at_both(gc_client *g)
{
    enum { MANY = 8, EACH = 100 };
    static _Atomic int far_n, near_n;
    go_waitgroup group = {0};
    struct crowd c = {.g = g,
                      .far = opened(g, "mixed.crowd", 0),
                      .near = go_chan_new(sizeof(int), 0),
                      .group = &group,
                      .far_n = &far_n,
                      .near_n = &near_n};
    go_waitgroup_add(&group, MANY);
    for (int i = 0; i < MANY; i++)
        CHECK(go_spawn(select_until_closed, &c, sizeof c) == 0);
    for (int i = 0; i < EACH && !failure; i++) {
        CHECK(go_chan_send(c.near, &i, GO_FOREVER) == 0);
        CHECK(gc_send(g, c.far, gc_string("v"), GC_FOREVER) == 0);
    }
    CHECK(gc_close(g, c.far, GC_FOREVER) == 0);
    go_waitgroup_wait(&group);
    CHECK(far_n == EACH && near_n == EACH);
    go_chan_unref(c.near);
}

static void test_IP5_3_many_that_stir_at_one_value_take_it_once(void **state)
{
    run_goroutines(crowd_at_both);
}

/* Two mixed selects that could only serve each other. */
static void offer_once(void *arg)
{
    struct race *race = arg;
    int one = 1;
    struct gc_value v;
    struct gc_case remote = gc_case_recv(race->far, &v);
    struct go_case local = GO_SEND(race->near, &one);
    race->index = gc_go_select(race->g, &remote, 1, &local, 1, 0, GO_FOREVER);
    go_chan_close(race->done);
}

static void meetings(gc_client *g)
{
    gc_chan far = opened(g, "mixed.meet", 0);
    go_chan *near = go_chan_new(sizeof(int), 0);
    for (int i = 0; i < MEETINGS && !failure; i++) {
        struct race taker = {.g = g, .far = far, .near = near}, giver = taker;
        race_begin(&taker);
        giver.done = go_chan_new(0, 0);
        if (i % 2)
            until_receivers(g, far, 1);
        CHECK(go_spawn(offer_once, &giver, 0) == 0);
        race_wait(&taker);
        race_wait(&giver);
        CHECK(taker.index == 1 && giver.index == 1 && taker.got == 1);
    }
    go_chan_unref(near);
}

static void test_IP5_3_two_mixed_selects_meet_at_a_local_channel(void **state)
{
    run_goroutines(meetings);
}

/* ---- other cases, other ends ---- */

static void timers_and_contexts(gc_client *g)
{
    gc_chan far = opened(g, "mixed.timer", 0);
    struct gc_value v;
    struct gc_case remote = gc_case_recv(far, &v);
    go_timer *timer = go_timer_new(1000000);
    go_ctx *ctx = go_ctx_new(go_ctx_background());
    struct go_case local[] = {GO_DONE(ctx), GO_TIMER(timer, NULL)};
    CHECK(gc_go_select(g, &remote, 1, local, 2, 0, GO_FOREVER) == 2);
    go_ctx_cancel(ctx, 0, NULL);
    CHECK(gc_go_select(g, &remote, 1, local, 2, 0, GO_FOREVER) == 1);
    struct go_case never = GO_RECV(NULL, NULL);
    CHECK(gc_go_select(g, &remote, 1, &never, 1, 0, go_with(ctx)) == -ECANCELED);
    until_receivers(g, far, 0);
    go_timer_unref(timer);
    go_ctx_unref(ctx);
}

static void test_IP5_3_timers_and_contexts_are_local_cases(void **state)
{
    run_goroutines(timers_and_contexts);
}

static void select_in_a_scope(void *arg)
{
    struct race *race = *(struct race **)arg;
    struct gc_case remote = gc_case_recv(race->far, &race->v);
    struct go_case local = GO_RECV(race->near, &race->got);
    CHECK(gc_go_select(race->g, &remote, 1, &local, 1, 0, GO_FOREVER) == -ECANCELED);
    gc_go_select(race->g, &remote, 1, &local, 1, 0, GO_FOREVER);
    CHECK(!"returned from a wait of an ended scope");
}

static void ended_scope(gc_client *g)
{
    struct race race = {.g = g, .far = opened(g, "mixed.scope", 1), .near = go_chan_new(sizeof(int), 1)};
    struct race *of = &race;
    go_group *group = go_group_new(NULL, NULL, NULL);
    struct go_spawn_options options = {.group = group};
    struct gc_value v;
    CHECK(go_spawn_with(select_in_a_scope, &of, sizeof of, &options) == 0);
    until_receivers(g, race.far, 1);
    go_group_end(group);
    CHECK(go_group_wait(group, GO_FOREVER) == 0);
    until_receivers(g, race.far, 0);
    CHECK(gc_send(g, race.far, gc_string("v"), GC_FOREVER) == 0);
    CHECK(gc_recv(g, race.far, &v, 0, GC_NOW) == 1 && is_text(&v, "v"));
    go_group_unref(group);
    go_chan_unref(race.near);
}

static void test_IP1_2_an_unwound_mixed_select_takes_nothing(void **state)
{
    run_goroutines(ended_scope);
}

/* ---- jobs ---- */

static void job_or_value(gc_client *g)
{
    char plugin[256];
    struct gc_submit what = {
        .size = sizeof what, .plugin = plugin, .function = "echo", .argument = "hi", .argument_bytes = 2};
    struct gc_result result = {.text = NULL};
    go_chan *near = go_chan_new(sizeof(int), 1);
    int one = 1;
    gc_job job, endless;
    snprintf(plugin, sizeof plugin, "%s/trial.so", getenv("PLUGINS"));
    CHECK(gc_submit(g, &what, &job, GC_FOREVER) == 0);
    what.function = "wait";
    CHECK(gc_submit(g, &what, &endless, GC_FOREVER) == 0);
    struct gc_case remote[] = {gc_case_job(endless, NULL), gc_case_job(job, &result)};
    struct go_case local = GO_RECV(near, NULL);
    CHECK(gc_go_select(g, remote, 2, &local, 1, 0, GO_FOREVER) == 1);
    CHECK(remote[1].status == 1 && result.bytes == 2 && memcmp(result.data, "hi", 2) == 0);
    gc_result_clear(&result);
    CHECK(go_chan_send(near, &one, GO_NOW) == 0);
    CHECK(gc_go_select(g, remote, 1, &local, 1, 0, GO_FOREVER) == 1);
    CHECK(gc_job_cancel(g, endless, NULL, GC_FOREVER) == 0);
    CHECK(gc_go_select(g, remote, 1, &local, 1, 0, GO_FOREVER) == 0 && remote[0].status == 0);
    go_chan_unref(near);
}

static void test_IP5_3_the_end_of_a_job_is_a_remote_case(void **state)
{
    run_goroutines(job_or_value);
}

/* ---- a send in doubt ---- */

struct mixed_offer {
    gc_client *g;
    struct gc_case remote[2];
    struct gc_value got;
    int index;
    go_chan *done;
};

static void mixed_offer_once(void *arg)
{
    struct mixed_offer *o = arg;
    struct go_case local = GO_RECV(NULL, NULL);
    o->index = gc_go_select(o->g, o->remote, 2, &local, 1, 0, GO_FOREVER);
    go_chan_close(o->done);
}

static void seen_by_the_dead(gc_client *g)
{
    gc_chan x = opened(g, "mixed.x", 0), y = opened(g, "mixed.y", 0), theirs;
    gc_client *other = node_connect(node);
    struct mixed_offer o = {.g = g, .done = go_chan_new(0, 0)};
    struct gc_value v;
    o.remote[0] = gc_case_recv(y, &o.got);
    o.remote[1] = gc_case_send(x, gc_string("seen"));
    CHECK(go_spawn(mixed_offer_once, &o, 0) == 0);
    CHECK(gc_make(other, "mixed.x", 0, &theirs, GC_FOREVER) == 0);
    CHECK(gc_recv(other, theirs, &v, GC_HOLD, GC_FOREVER) == 1 && is_text(&v, "seen"));
    gc_disconnect(other);
    CHECK(gc_send(g, y, gc_string("w"), GC_FOREVER) == 0);
    go_chan_recv(o.done, NULL, GO_FOREVER);
    CHECK(o.index == 0 && is_text(&o.got, "w"));
    CHECK(o.remote[1].doubt && !o.remote[0].doubt);
    go_chan_unref(o.done);
}

static void test_IP5_2_a_mixed_select_says_which_send_was_seen_by_the_dead(void **state)
{
    run_goroutines(seen_by_the_dead);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_IP5_3_the_side_that_is_ready_is_taken),
        cmocka_unit_test(test_IP5_3_one_of_two_receives_takes_and_the_other_value_stays),
        cmocka_unit_test(test_IP5_3_a_send_that_lost_was_never_seen),
        cmocka_unit_test(test_IP5_3_many_that_stir_at_one_value_take_it_once),
        cmocka_unit_test(test_IP5_3_two_mixed_selects_meet_at_a_local_channel),
        cmocka_unit_test(test_IP5_3_timers_and_contexts_are_local_cases),
        cmocka_unit_test(test_IP1_2_an_unwound_mixed_select_takes_nothing),
        cmocka_unit_test(test_IP5_3_the_end_of_a_job_is_a_remote_case),
        cmocka_unit_test(test_IP14_2_a_subscription_is_a_remote_case),
        cmocka_unit_test(test_IP5_2_a_mixed_select_says_which_send_was_seen_by_the_dead),
    };
    return cmocka_run_group_tests(tests, start_node, stop_node);
}
