/* Contexts between processes: their ends, values, owners, names and limits (X with its clauses between processes). */
#include "context_fixture.h"

/* ---- ends ---- */

static void test_X1_a_cancel_ends_the_node_and_all_below_before_it_returns(void **state)
{
    struct rig *rig = rig_new();
    struct client *a = client_new(rig), *b = client_new(rig);
    uint64_t root = ctx(a, (struct request_ctx_new){0}), left = below(a, root), right = below(b, root),
             leaf = below(b, left);
    uint64_t seen = watch(a, leaf), op;

    assert_waits(a, seen);
    op = cancel_ctx(a, left);
    assert_status(a, op, 1);
    assert_true(later_than(a, seen) > later_than(a, op));
    assert_int_equal(end_of(b, left), -ECANCELED);
    assert_int_equal(end_of(a, leaf), -ECANCELED);
    assert_int_equal(end_of(a, root), 0);
    assert_int_equal(end_of(a, right), 0);
    assert_int_equal(got(a, seen)->ctx.status, -ECANCELED);
    rig_delete(rig);
}

static void test_X2_the_first_cancel_counts_for_ever(void **state)
{
    struct rig *rig = rig_new();
    struct client *a = client_new(rig), *b = client_new(rig);
    uint64_t c = ctx(a, (struct request_ctx_new){.deadline = UNTIL_IN, .deadline_ns = SECOND});

    assert_status(a, cancel_with(a, c, -77, "first"), 1);
    assert_status(b, cancel_with(b, c, -88, "second"), 0);
    rig_after(rig, 2 * (int64_t)SECOND);
    assert_string_equal(look(b, c)->ctx_text, "first");
    assert_int_equal(look(b, c)->ctx.code, -77);
    assert_int_equal(end_of(b, c), -ECANCELED);
    rig_delete(rig);
}

static void test_X3_a_child_of_an_ended_context_is_born_over(void **state)
{
    struct rig *rig = rig_new();
    struct client *a = client_new(rig);
    uint64_t root = ctx(a, (struct request_ctx_new){0}), op;

    cancel_with(a, root, -5, "no more");
    op = make(a, (struct request_ctx_new){.parent = root});
    assert_status(a, op, CTX_OVER);
    uint64_t child = got(a, op)->handle;
    assert_int_equal(end_of(a, child), -ECANCELED);
    assert_string_equal(look(a, child)->ctx_text, "no more");
    assert_int_equal(look(a, child)->ctx.origin, root);
    rig_delete(rig);
}

static void test_X4_a_cause_flows_down_to_those_that_have_none(void **state)
{
    struct rig *rig = rig_new();
    struct client *a = client_new(rig);
    uint64_t root = ctx(a, (struct request_ctx_new){0}), early = below(a, root), late = below(a, root),
             plain = ctx(a, (struct request_ctx_new){0});

    cancel_with(a, early, -1, "mine");
    cancel_with(a, root, -2, "of all");
    cancel_ctx(a, plain);
    assert_string_equal(look(a, early)->ctx_text, "mine");
    assert_int_equal(look(a, early)->ctx.origin, early);
    assert_string_equal(look(a, late)->ctx_text, "of all");
    assert_int_equal(look(a, late)->ctx.code, -2);
    assert_int_equal(look(a, late)->ctx.origin, root);
    assert_string_equal(look(a, plain)->ctx_text, "context canceled");
    assert_int_equal(look(a, plain)->ctx.code, -ECANCELED);
    rig_delete(rig);
}

static void test_X5_a_later_deadline_below_is_ignored_with_its_cause(void **state)
{
    struct rig *rig = rig_new();
    struct client *a = client_new(rig);
    uint64_t root = ctx(a, (struct request_ctx_new){
                               .deadline = UNTIL_IN, .deadline_ns = SECOND, .cause = text("of the root")});
    uint64_t child = ctx(a, (struct request_ctx_new){.parent = root,
                                                     .deadline = UNTIL_IN,
                                                     .deadline_ns = 5 * (int64_t)SECOND,
                                                     .cause = text("of the child")});
    assert_int_equal(look(a, child)->ctx.left_ns, SECOND);
    rig_after(rig, SECOND - 1);
    assert_int_equal(end_of(a, child), 0);
    rig_after(rig, 1);
    assert_int_equal(end_of(a, child), -ETIMEDOUT);
    assert_string_equal(look(a, child)->ctx_text, "of the root");
    rig_delete(rig);
}

static void test_X5_an_earlier_deadline_below_leaves_the_parent_alone(void **state)
{
    struct rig *rig = rig_new();
    struct client *a = client_new(rig);
    uint64_t root =
        ctx(a, (struct request_ctx_new){.deadline = UNTIL_IN, .deadline_ns = 2 * (int64_t)SECOND});
    uint64_t child = ctx(
        a, (struct request_ctx_new){
               .parent = root, .deadline = UNTIL_AT, .deadline_ns = rig->now.mono_ns + SECOND, .code = -9});

    rig_after(rig, SECOND);
    assert_int_equal(end_of(a, child), -ETIMEDOUT);
    assert_int_equal(look(a, child)->ctx.code, -9);
    assert_string_equal(look(a, child)->ctx_text, "context deadline exceeded");
    assert_int_equal(end_of(a, root), 0);
    rig_delete(rig);
}

static void test_X5_a_life_that_is_cut_short_has_not_the_cause_of_its_own_deadline(void **state)
{
    struct limits limits = LIMITS_DEFAULT;
    struct rig *rig;
    struct client *a;

    limits.context_detached_s = 1;
    rig = rig_with(&limits, 1);
    a = client_new(rig);
    uint64_t late = ctx(a, (struct request_ctx_new){.flags = CTX_DETACHED,
                                                    .deadline = UNTIL_IN,
                                                    .deadline_ns = 2 * (int64_t)SECOND,
                                                    .code = -9,
                                                    .cause = text("its own")});
    rig_after(rig, SECOND);
    assert_int_equal(end_of(a, late), -ETIMEDOUT);
    assert_int_equal(look(a, late)->ctx.code, -ETIMEDOUT);
    assert_string_equal(look(a, late)->ctx_text, "context deadline exceeded");
    rig_delete(rig);
}

static void test_X5_a_past_deadline_is_over_at_once_and_a_cancel_has_not_its_cause(void **state)
{
    struct rig *rig = rig_new();
    struct client *a = client_new(rig);
    uint64_t op = make(a, (struct request_ctx_new){.deadline = UNTIL_IN, .deadline_ns = -1});
    uint64_t other = ctx(
        a, (struct request_ctx_new){.deadline = UNTIL_IN, .deadline_ns = SECOND, .cause = text("too late")});

    assert_status(a, op, CTX_OVER);
    assert_int_equal(end_of(a, got(a, op)->handle), -ETIMEDOUT);
    cancel_ctx(a, other);
    assert_string_equal(look(a, other)->ctx_text, "context canceled");
    rig_delete(rig);
}

static void test_X6_the_death_of_a_client_ends_its_contexts_but_not_detached_ones(void **state)
{
    struct rig *rig = rig_new();
    struct client *a = client_new(rig), *b = client_new(rig);
    uint64_t mine = ctx(a, (struct request_ctx_new){0}), theirs = below(b, mine),
             detached = ctx(a, (struct request_ctx_new){.flags = CTX_DETACHED}), seen = watch(b, theirs),
             root = ctx(b, (struct request_ctx_new){0}), under_root = below(a, root);

    assert_int_equal(look(b, root)->ctx.children, 1);
    client_die(a);
    assert_status(b, seen, 0);
    assert_int_equal(got(b, seen)->ctx.code, -EOWNERDEAD);
    assert_int_equal(got(b, seen)->ctx.origin, mine);
    assert_int_equal(end_of(b, mine), -ECANCELED);
    assert_int_equal(end_of(b, under_root), -ECANCELED);
    assert_int_equal(end_of(b, detached), 0);
    assert_int_equal(look(b, root)->ctx.children, 0);
    rig_delete(rig);
}

static void test_X6_what_has_ended_is_forgotten_after_a_minute(void **state)
{
    struct rig *rig = rig_new();
    struct client *a = client_new(rig), *b = client_new(rig);
    uint64_t c = ctx(a, (struct request_ctx_new){0});

    below(a, c);
    client_bye(a);
    rig_after(rig, 59 * (int64_t)SECOND);
    assert_int_equal(end_of(b, c), -ECANCELED);
    rig_after(rig, SECOND);
    assert_int_equal(look_for(b, c, NULL, NULL)->status, -ENOENT);
    assert_int_equal(rig_stat(rig, "contexts"), 0);
    rig_delete(rig);
}

static void test_X6_a_run_that_ends_ends_its_contexts(void **state)
{
    struct rig *rig = rig_new();
    struct client *host = client_up(rig, 1000, false, 5), *b = client_new(rig);

    client_hello(host);
    client_do(host, (struct request){.verb = VERB_STARTED, .started = {1, 9}});
    host->run = 9;
    uint64_t c = ctx(host, (struct request_ctx_new){0}), seen = watch(b, c);
    host->run = 0;
    client_do(host, (struct request){.verb = VERB_DONE, .done = {1, 9}});
    assert_status(b, seen, 0);
    assert_int_equal(got(b, seen)->ctx.code, -EOWNERDEAD);
    rig_delete(rig);
}

static void test_X9_without_cancel_keeps_the_values_alone(void **state)
{
    struct rig *rig = rig_new();
    struct client *a = client_new(rig), *b = client_new(rig);
    struct ctx_value user = {text("user"), text("12345")};
    uint64_t root = ctx(a, (struct request_ctx_new){
                               .deadline = UNTIL_IN, .deadline_ns = SECOND, .values = &user, .values_n = 1});
    uint64_t free = ctx(a, (struct request_ctx_new){.parent = root, .flags = CTX_WITHOUT_CANCEL});
    uint64_t late = ctx(a, (struct request_ctx_new){.parent = free});

    cancel_with(a, root, 0, "over");
    rig_after(rig, SECOND);
    client_die(a);
    rig_after(rig, 100 * (int64_t)SECOND);
    assert_int_equal(end_of(b, free), 0);
    assert_string_equal(look_for(b, free, NULL, "user")->output, "12345");
    assert_int_equal(look_for(b, late, NULL, NULL)->status, -ENOENT);
    drop(b, free);
    assert_int_equal(rig_stat(rig, "contexts"), 0);
    rig_delete(rig);
}

static void test_X10_the_nearest_value_wins_and_outlives_the_end(void **state)
{
    struct rig *rig = rig_new();
    struct client *a = client_new(rig), *b = client_new(rig);
    struct ctx_value outer[] = {{text("user"), text("1")}, {text("request"), text("r")}};
    struct ctx_value inner[] = {
        {text("user"), text("2")}, {text("user"), text("3")}, {text("none"), text("")}};
    uint64_t root = ctx(a, (struct request_ctx_new){.values = outer, .values_n = 2});
    uint64_t child = ctx(a, (struct request_ctx_new){.parent = root, .values = inner, .values_n = 3});

    drop(a, root);
    assert_int_equal(look_for(b, child, NULL, "user")->status, 1);
    assert_string_equal(look_for(b, child, NULL, "user")->output, "3");
    assert_string_equal(look_for(b, child, NULL, "request")->output, "r");
    assert_int_equal(look_for(b, child, NULL, "none")->status, 1);
    assert_int_equal(look_for(b, child, NULL, "use")->status, 0);
    rig_delete(rig);
}

/* ---- names, rights, limits ---- */

static void test_a_name_is_taken_until_its_context_is_over_and_nobodys(void **state)
{
    struct rig *rig = rig_new();
    struct client *a = client_new(rig), *b = client_of(rig, 5);
    uint64_t c = ctx(a, (struct request_ctx_new){.name = text("deploy")});

    assert_status(b, make(b, (struct request_ctx_new){.name = text("deploy")}), -EEXIST);
    assert_int_equal(look_for(b, 0, "deploy", NULL)->handle, c);
    cancel_ctx(b, c);
    assert_status(b, make(b, (struct request_ctx_new){.name = text("deploy")}), -EEXIST);
    assert_status(b, drop(b, c), -EPERM);
    assert_status(a, drop(a, c), 0);
    uint64_t again = ctx(b, (struct request_ctx_new){.name = text("deploy"), .flags = CTX_DETACHED});
    cancel_ctx(a, again);
    assert_true(ctx(b, (struct request_ctx_new){.name = text("deploy")}) != again);
    assert_status(a, make(a, (struct request_ctx_new){.name = text("no blanks")}), -EINVAL);
    rig_delete(rig);
}

static void test_the_id_of_another_user_or_life_names_nothing(void **state)
{
    struct rig *rig = rig_new();
    struct client *a = client_new(rig), *b = client_of(rig, 5), *root = client_of(rig, 0);
    uint64_t c = ctx(a, (struct request_ctx_new){0}), x = chan(b, "x", 1);

    assert_int_equal(look_for(b, c, NULL, NULL)->status, -EPERM);
    assert_status(b, cancel_ctx(b, c), -EPERM);
    assert_status(b, send1(under(b, c), x, "v"), -EPERM);
    assert_status(b, send1(under(b, c - (1ull << 40)), x, "v"), -ENETRESET);
    assert_status(b, send1(under(b, c + 99), x, "v"), -ENOENT);
    assert_int_equal(info(b, x).length, 0);
    assert_status(root, cancel_ctx(root, c), 1);
    rig_delete(rig);
}

static void test_lists_are_pages_in_the_order_of_names(void **state)
{
    struct rig *rig = rig_new();
    struct client *a = client_new(rig);
    const char *names[] = {"b.2", "a.1", "b.1", "b.3"};
    uint64_t op;

    for (int i = 0; i < 4; i++)
        ctx(a, (struct request_ctx_new){.name = text(names[i])});
    op =
        client_do(a, (struct request){.verb = VERB_CTX_LIST, .ctx_list = {.prefix = text("b."), .limit = 2}});
    assert_string_equal(got(a, op)->names, "b.1 b.2 ");
    assert_int_equal(got(a, op)->flags, RESULT_MORE);
    op = client_do(a, (struct request){.verb = VERB_CTX_LIST, .ctx_list = {.after = text("b.2")}});
    assert_string_equal(got(a, op)->names, "b.3 ");
    rig_delete(rig);
}

static void test_limits_of_contexts(void **state)
{
    struct limits limits = LIMITS_DEFAULT;
    limits.contexts_max = 3;
    limits.contexts_detached_max = 1;
    limits.context_depth_max = 1;
    limits.context_bytes_max = 5;
    limits.context_detached_s = 7;
    struct rig *rig = rig_with(&limits, 1);
    struct client *a = client_new(rig);
    struct ctx_value fits = {text("ab"), text("123")}, large = {text("ab"), text("1234")};
    uint64_t root = ctx(a, (struct request_ctx_new){.values = &fits, .values_n = 1}), child = below(a, root);

    assert_status(a, make(a, (struct request_ctx_new){.parent = child}), -E2BIG);
    assert_status(a, make(a, (struct request_ctx_new){.values = &large, .values_n = 1}), -E2BIG);
    uint64_t detached = ctx(a, (struct request_ctx_new){.flags = CTX_DETACHED});
    assert_status(a, make(a, (struct request_ctx_new){0}), -ENOBUFS);
    drop(a, child);
    assert_status(a, make(a, (struct request_ctx_new){.flags = CTX_DETACHED}), -ENOBUFS);
    rig_after(rig, 7 * (int64_t)SECOND);
    assert_int_equal(end_of(a, detached), -ETIMEDOUT);
    rig_after(rig, 60 * (int64_t)SECOND);
    ctx(a, (struct request_ctx_new){.flags = CTX_DETACHED});
    rig_delete(rig);
}

/* Its maker is gone; what is below it, of other users, keeps it for its values (X10). */
static void test_limit_contexts_max_is_that_of_who_keeps_a_context(void **state)
{
    struct limits limits = LIMITS_DEFAULT;
    struct rig *rig;
    struct client *a, *b, *c;
    uint64_t root, second, third;

    limits.contexts_max = 1;
    limits.contexts_detached_max = 1;
    rig = rig_with(&limits, 1);
    a = client_of(rig, 1);
    b = client_of(rig, 2);
    c = client_of(rig, 3);
    root = ctx(a, (struct request_ctx_new){.name = text("root"), .flags = CTX_DETACHED});
    second = ctx(b, (struct request_ctx_new){
                        .name = text("second"), .parent_name = text("root"), .flags = CTX_WITHOUT_CANCEL});
    third = ctx(c, (struct request_ctx_new){.parent_name = text("second"), .flags = CTX_WITHOUT_CANCEL});
    assert_status(a, make(a, (struct request_ctx_new){0}), -ENOBUFS);
    assert_status(a, drop(a, root), 0);
    assert_status(b, make(b, (struct request_ctx_new){0}), -ENOBUFS);
    assert_status(b, drop(b, second), 0);
    assert_status(b, make(b, (struct request_ctx_new){0}), 0); /* both are c's now */
    assert_status(a, make(a, (struct request_ctx_new){.flags = CTX_DETACHED}), 0);
    assert_status(c, drop(c, third), 0);
    assert_int_equal(rig_stat(rig, "contexts"), 2);
    assert_status(c, make(c, (struct request_ctx_new){0}), 0);
    rig_delete(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_X1_a_cancel_ends_the_node_and_all_below_before_it_returns),
        cmocka_unit_test(test_X2_the_first_cancel_counts_for_ever),
        cmocka_unit_test(test_X3_a_child_of_an_ended_context_is_born_over),
        cmocka_unit_test(test_X4_a_cause_flows_down_to_those_that_have_none),
        cmocka_unit_test(test_X5_a_later_deadline_below_is_ignored_with_its_cause),
        cmocka_unit_test(test_X5_an_earlier_deadline_below_leaves_the_parent_alone),
        cmocka_unit_test(test_X5_a_life_that_is_cut_short_has_not_the_cause_of_its_own_deadline),
        cmocka_unit_test(test_X5_a_past_deadline_is_over_at_once_and_a_cancel_has_not_its_cause),
        cmocka_unit_test(test_X6_the_death_of_a_client_ends_its_contexts_but_not_detached_ones),
        cmocka_unit_test(test_X6_what_has_ended_is_forgotten_after_a_minute),
        cmocka_unit_test(test_X6_a_run_that_ends_ends_its_contexts),
        cmocka_unit_test(test_X9_without_cancel_keeps_the_values_alone),
        cmocka_unit_test(test_X10_the_nearest_value_wins_and_outlives_the_end),
        cmocka_unit_test(test_a_name_is_taken_until_its_context_is_over_and_nobodys),
        cmocka_unit_test(test_the_id_of_another_user_or_life_names_nothing),
        cmocka_unit_test(test_lists_are_pages_in_the_order_of_names),
        cmocka_unit_test(test_limits_of_contexts),
        cmocka_unit_test(test_limit_contexts_max_is_that_of_who_keeps_a_context),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
