/* Pools: whose jobs run where, hosts by need and by number, scaling, draining, removal, restarts. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "filter.h"
#include "jobs_fixture.h"

#define MAIL(...) SUBMIT(.queue = TEXT("mail"), ##__VA_ARGS__)

enum { OTHER = 1000, KILL = 9 };

static struct bytes text(const char *words)
{
    return (struct bytes){words, strlen(words)};
}

static struct request set(const char *settings)
{
    return (struct request){.verb = VERB_POOL_SET, .pool_set = {TEXT("p"), text(settings)}};
}

static struct request drain(enum pool_drain_what what)
{
    return (struct request){.verb = VERB_POOL_DRAIN, .pool_drain = {TEXT("p"), what}};
}

static struct request gone(void)
{
    return (struct request){.verb = VERB_POOL_REMOVE, .pool_remove = {TEXT("p")}};
}

/* The value of a row of POOL_INFO; UINT64_MAX: there is none. */
static uint64_t told(struct jobs_fixture *f, const char *row)
{
    struct seen *seen = ask_ok(f, client_new(f, OTHER),
                               (struct request){.verb = VERB_POOL_INFO, .pool_info = {TEXT("p")}}, 0);

    for (size_t i = 0; i < seen->stats_n; i++)
        if (strcmp(seen->stats[i], row) == 0)
            return seen->values[i];
    return UINT64_MAX;
}

/* A pool of the queue mail, of one goroutine a host. Gives root. */
static struct client *pool_of_mail(struct jobs_fixture *f, const char *more)
{
    struct client *root = client_new(f, 0);
    char settings[100] = "queues=mail goroutines=1 ";

    set_queue(f, "mail", "");
    strcat(settings, more);
    ask_ok(f, root, set(settings), 0);
    return root;
}

static void test_jobs_of_a_pool_and_others_run_in_hosts_of_their_own(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *root = pool_of_mail(f, "");
    uint64_t mine = submit(f, root, MAIL());
    struct client *host = host_up(f);
    uint64_t other = submit(f, root, SUBMIT());

    assert_int_equal(begin(f, host)->offer.job, mine);
    assert_null(next_offer(f, host, OFFER_RUN));
    assert_int_equal(f->hosts_started, 2);
    struct client *second = host_up(f);
    assert_int_equal(begin(f, second)->offer.job, other);
    assert_int_equal(told(f, "state.hosts"), 1);
    assert_int_equal(told(f, "state.running"), 1);
}

static void test_one_more_host_starts_when_those_there_are_busy(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *root = pool_of_mail(f, "hosts=2");

    for (int i = 0; i < 3; i++)
        submit(f, root, MAIL());
    assert_int_equal(f->hosts_started, 1);
    struct client *a = host_up(f);
    assert_int_equal(f->hosts_started, 2);
    struct client *b = host_up(f);
    assert_int_equal(f->hosts_started, 2);
    struct seen *first = begin(f, a);
    begin(f, b);
    assert_int_equal(told(f, "state.waiting"), 1);
    done_with(f, a, first, TEXT("r"));
    begin(f, a);
    assert_int_equal(told(f, "state.waiting"), 0);
    assert_int_equal(told(f, "state.ended"), 1);
}

static void test_a_host_runs_as_many_as_the_pool_says(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *root = pool_of_mail(f, "goroutines=2");

    for (int i = 0; i < 3; i++)
        submit(f, root, MAIL());
    struct client *host = host_up(f);
    begin(f, host);
    begin(f, host);
    assert_null(next_offer(f, host, OFFER_RUN));
    ask_ok(f, root, set("goroutines=3"), 0);
    begin(f, host);
}

static void test_min_hosts_start_before_any_job(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *root = client_new(f, 0);

    ask_ok(f, root, set("functions=/p/good.so:count hosts=3 min=2"), 0);
    assert_true(f->plugin_waiting);
    plugin_is(f, TEXT("g1"), true);
    assert_int_equal(f->hosts_started, 2);
    struct client *host = host_up_as(f, f->host_started - 1);
    host_dies(f, host, KILL, 0);
    advance_ms(f, (int64_t)f->limits.host_restart_ms);
    assert_int_equal(f->hosts_started, 3);
    assert_int_equal(told(f, "state.hosts"), 2);
    assert_int_equal(told(f, "state.crashed"), 1);
}

static void test_a_plugin_that_is_not_there_is_looked_for_again(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *root = client_new(f, 0);

    ask_ok(f, root, set("functions=/p/good.so hosts=1 min=1"), 0);
    plugin_fails(f, -ENOENT, TEXT("there is no such file"));
    assert_int_equal(f->plugins_asked, 1);
    advance_ms(f, 5000);
    assert_int_equal(f->plugins_asked, 2);
    plugin_is(f, TEXT("g1"), true);
    assert_int_equal(f->hosts_started, 1);
}

static void test_fewer_hosts_drain_the_least_busy_and_lose_no_job(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *root = pool_of_mail(f, "hosts=2 goroutines=2");
    uint64_t jobs[4];

    for (int i = 0; i < 4; i++)
        jobs[i] = submit(f, root, MAIL());
    struct client *a = host_up(f), *b = host_up(f);
    struct seen *of_a[2] = {begin(f, a), begin(f, a)}, *of_b[2] = {begin(f, b), begin(f, b)};
    done_with(f, a, of_a[0], TEXT("r"));
    ask_ok(f, root, set("hosts=1"), 0);
    assert_non_null(next_offer(f, a, OFFER_DRAIN));
    assert_null(next_offer(f, b, OFFER_DRAIN));
    done_with(f, a, of_a[1], TEXT("r"));
    for (int i = 0; i < 2; i++)
        done_with(f, b, of_b[i], TEXT("r"));
    for (int i = 0; i < 4; i++) {
        struct job_info job = info(f, root, jobs[i]);
        assert_int_equal(job.state, JOB_DONE);
    }
    host_dies(f, a, 0, 0);
    assert_int_equal(told(f, "state.hosts"), 1);
    assert_int_equal(told(f, "state.crashed"), 0);
}

static void test_a_host_that_starts_is_not_needed_any_more(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *root = client_new(f, 0);

    submit(f, root, SUBMIT_TO(TEXT("/p/good.so"), TEXT("other")));
    ask_ok(f, root, set("functions=/p/good.so:count hosts=2 min=2"), 0);
    uint64_t last = f->host_started;
    assert_int_equal(f->hosts_started, 3);
    ask_ok(f, root, set("hosts=1"), 0);
    assert_true(f->host_killed == last || f->host_killed == last - 1);
}

static void test_hosts_of_a_plugin_that_is_the_pools_no_more_are_drained(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *root = client_new(f, 0);

    ask_ok(f, root, set("functions=/p/good.so min=2 hosts=2"), 0);
    plugin_is(f, TEXT("g1"), true);
    struct client *a = host_up_as(f, f->host_started - 1), *b = host_up(f);
    ask_ok(f, root, set("functions=/p/other.so,*:count"), 0);
    assert_null(next_offer(f, a, OFFER_DRAIN));
    ask_ok(f, root, set("functions=/p/other.so"), 0);
    assert_non_null(next_offer(f, a, OFFER_DRAIN));
    assert_non_null(next_offer(f, b, OFFER_DRAIN));
    host_dies(f, a, 0, 0);
    host_dies(f, b, 0, 0);
    assert_int_equal(told(f, "state.hosts"), 0);
}

static void test_a_host_that_dies_is_replaced_and_its_job_runs_again(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *root = pool_of_mail(f, "hosts=2");
    uint64_t first = submit(f, root, MAIL(.attempts_max = 2)), second = submit(f, root, MAIL());
    struct client *a = host_up(f), *b = host_up(f);

    begin(f, a);
    struct seen *other = begin(f, b);
    host_dies(f, a, KILL, 0);
    advance_ms(f, 2000);
    assert_int_equal(f->hosts_started, 3);
    a = host_up(f);
    done_with(f, a, begin(f, a), TEXT("r"));
    done_with(f, b, other, TEXT("r"));
    assert_state(f, root, first, JOB_DONE, CAUSE_NONE);
    assert_state(f, root, second, JOB_DONE, CAUSE_NONE);
}

static void test_other_hosts_go_on_while_one_is_replaced(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *root = pool_of_mail(f, "hosts=2 goroutines=2");

    for (int i = 0; i < 3; i++)
        submit(f, root, MAIL());
    struct client *a = host_up(f), *b = host_up(f);
    struct seen *of_a = begin(f, a);
    begin(f, b);
    host_dies(f, b, KILL, 0);
    done_with(f, a, of_a, TEXT("r"));
    assert_non_null(next_offer(f, a, OFFER_RUN));
}

static void test_suspects_go_to_a_fresh_host_one_at_a_time(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *root = pool_of_mail(f, "hosts=2 goroutines=2");

    for (int i = 0; i < 4; i++)
        submit(f, root, MAIL());
    struct client *a = host_up(f), *b = host_up(f);
    struct seen *of_a = begin(f, a);
    begin(f, a);
    begin(f, b);
    begin(f, b);
    host_dies(f, b, KILL, 0);
    done_with(f, a, of_a, TEXT("r"));
    assert_null(next_offer(f, a, OFFER_RUN)); /* it is older, and another job runs there */
    advance_ms(f, (int64_t)f->limits.host_restart_ms);
    b = host_up(f);
    begin(f, b);
    assert_null(next_offer(f, b, OFFER_RUN));
    advance_ms(f, 1000);
    begin(f, b);
}

static void test_a_drain_waits_for_what_runs_and_starts_nothing(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *root = pool_of_mail(f, "");
    uint64_t running = submit(f, root, MAIL()), waiting = submit(f, root, MAIL());
    struct client *host = host_up(f);
    struct seen *run = begin(f, host);
    uint64_t op = ask(f, root, drain(POOL_DRAIN_BEGIN));

    assert_null(answer(f, root, op));
    assert_non_null(next_offer(f, host, OFFER_DRAIN));
    assert_int_equal(told(f, "state.drained"), 1);
    done_with(f, host, run, TEXT("r"));
    assert_int_equal(answer(f, root, op)->status, 0);
    host_dies(f, host, 0, 0);
    assert_state(f, root, running, JOB_DONE, CAUSE_NONE);
    assert_state(f, root, waiting, JOB_READY, CAUSE_NONE);
    assert_string_equal(ask_ok(f, root, LOOK(waiting), 0)->words[0], "its pool p is drained");
    ask_ok(f, root, drain(POOL_DRAIN_BEGIN), 0);
    ask_ok(f, root, drain(POOL_DRAIN_END), 0);
    begin(f, host_up(f));
}

static void test_a_drain_that_is_ended_is_told_so(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *root = pool_of_mail(f, "");

    submit(f, root, MAIL());
    begin(f, host_up(f));
    uint64_t op = ask(f, root, drain(POOL_DRAIN_BEGIN));
    ask_ok(f, root, drain(POOL_DRAIN_END), 0);
    assert_int_equal(answer(f, root, op)->status, -ECANCELED);
    op = ask(f, root, drain(POOL_DRAIN_BEGIN));
    ask_ok(f, root, gone(), 0);
    assert_int_equal(answer(f, root, op)->status, -ENOENT);
}

static void test_jobs_of_a_removed_pool_go_to_the_hosts_of_no_pool(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *root = pool_of_mail(f, "");
    uint64_t running = submit(f, root, MAIL()), waiting = submit(f, root, MAIL());
    struct client *host = host_up(f);
    struct seen *run = begin(f, host);

    ask_ok(f, root, gone(), 0);
    assert_non_null(next_offer(f, host, OFFER_DRAIN));
    assert_int_equal(f->hosts_started, 2);
    struct client *other = host_up(f);
    done_with(f, other, begin(f, other), TEXT("r"));
    done_with(f, host, run, TEXT("r"));
    host_dies(f, host, 0, 0);
    assert_state(f, root, running, JOB_DONE, CAUSE_NONE);
    assert_state(f, root, waiting, JOB_DONE, CAUSE_NONE);
    ask_ok(f, root, gone(), -ENOENT);
}

static void test_the_first_pool_by_name_has_the_jobs(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *root = pool_of_mail(f, "");

    submit(f, root, MAIL());
    begin(f, host_up(f));
    assert_int_equal(told(f, "state.running"), 1);
    ask_ok(f, root, (struct request){.verb = VERB_POOL_SET, .pool_set = {TEXT("a"), text("queues=*")}}, 0);
    submit(f, root, MAIL());
    begin(f, host_up(f));
    assert_int_equal(told(f, "state.running"), 1);
    assert_int_equal(told(f, "state.waiting"), 0);
}

static void test_a_new_generation_has_hosts_of_its_own_in_each_pool(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *root = pool_of_mail(f, "hosts=1");

    submit(f, root, MAIL());
    struct client *old = host_up(f);
    struct seen *run = begin(f, old);
    advance_ms(f, 1000);
    ask(f, root, MAIL());
    plugin_is(f, TEXT("g2"), true);
    assert_non_null(next_offer(f, old, OFFER_DRAIN));
    assert_string_equal(f->generation, "g2");
    begin(f, host_up(f));
    assert_int_equal(told(f, "state.hosts"), 2);
    assert_int_equal(told(f, "state.draining"), 1);
    done_with(f, old, run, TEXT("r"));
    host_dies(f, old, 0, 0);
    assert_int_equal(told(f, "state.hosts"), 1);
}

static void test_what_is_set_is_kept_over_a_restart(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *root = pool_of_mail(f, "hosts=3");

    ask_ok(f, root, drain(POOL_DRAIN_BEGIN), 0);
    restart(f);
    assert_int_equal(told(f, "set.hosts"), 3);
    assert_int_equal(told(f, "set.queues=mail"), 1);
    assert_int_equal(told(f, "state.drained"), 1);
    root = client_new(f, 0);
    ask_ok(f, root, drain(POOL_DRAIN_END), 0);
    ask_ok(f, root, set("hosts="), 0);
    restart(f);
    assert_int_equal(told(f, "default.hosts"), 1);
    assert_int_equal(told(f, "state.drained"), 0);
    ask_ok(f, client_new(f, 0), gone(), 0);
    restart(f);
    ask_ok(f, client_new(f, 0), gone(), -ENOENT);
}

static void test_a_pool_of_the_configuration_says_so_and_stays(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *root = client_new(f, 0);
    struct bytes wrong;

    assert_int_equal(core_set_pool(f->core, TEXT("p"), TEXT("queues=mail hosts=2"), &wrong), 0);
    ask_ok(f, root, set("hosts=4"), 0);
    assert_int_equal(told(f, "set.hosts"), 4);
    assert_int_equal(told(f, "config.queues=mail"), 1);
    ask_ok(f, root, set("hosts="), 0);
    assert_int_equal(told(f, "config.hosts"), 2);
    assert_non_null(strstr(ask_ok(f, root, gone(), -EBUSY)->text, "stands in the configuration"));
    assert_int_equal(core_set_pool(f->core, TEXT("q"), TEXT("hosts=2"), &wrong), -EINVAL);
    assert_int_equal(wrong.size, 0);
}

static void test_a_pool_that_the_configuration_gives_no_work_any_more_is_left_out(void **state)
{
    struct jobs_fixture *f = *state;
    struct bytes wrong;

    assert_int_equal(core_set_pool(f->core, TEXT("p"), TEXT("queues=mail"), &wrong), 0);
    ask_ok(f, client_new(f, 0), set("hosts=4"), 0);
    restart(f);
    ask_ok(f, client_new(f, 0), gone(), -ENOENT);
}

static void test_what_makes_no_sense_is_refused_in_words(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *root = client_new(f, 0);

    assert_non_null(strstr(ask_ok(f, root, set("hosts=4"), -ENOENT)->text, "needs queues or functions"));
    assert_non_null(strstr(ask_ok(f, root, set("queues=a hosts=0"), -EINVAL)->text, "from 1 to 1000"));
    ask_ok(f, root, set("queues=a .drained=1"), -EINVAL);
    ask_ok(f, root, set("queues=a"), 0);
    assert_non_null(strstr(ask_ok(f, root, set("queues="), -EINVAL)->text, "needs queues or functions"));
    ask_ok(f, root, drain(POOL_DRAIN_BEGIN), 0);
}

static void test_others_look_and_change_nothing(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, OTHER);

    pool_of_mail(f, "");
    ask_ok(f, c, set("hosts=2"), -EPERM);
    ask_ok(f, c, drain(POOL_DRAIN_BEGIN), -EPERM);
    ask_ok(f, c, gone(), -EPERM);
    assert_int_equal(told(f, "default.hosts"), 1);
}

static void test_there_are_so_many_pools_and_no_more(void **state)
{
    struct jobs_fixture *f = *state;

    f->limits.pools_max = 1;
    restart(f);
    struct client *root = pool_of_mail(f, "");
    ask_ok(f, root, (struct request){.verb = VERB_POOL_SET, .pool_set = {TEXT("q"), text("queues=*")}},
           -ENOBUFS);
    ask_ok(f, root, set("hosts=2"), 0);
}

static void test_what_was_set_is_there_above_the_number_of_pools(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *root = pool_of_mail(f, "");

    ask_ok(f, root, (struct request){.verb = VERB_POOL_SET, .pool_set = {TEXT("q"), text("queues=*")}}, 0);
    f->limits.pools_max = 1;
    restart(f);
    assert_int_equal(told(f, "set.queues=mail"), 1);
    ask_ok(f, client_new(f, 0), (struct request){.verb = VERB_POOL_REMOVE, .pool_remove = {TEXT("q")}}, 0);
}

static void test_drained_hosts_count_among_those_a_pool_may_have(void **state)
{
    struct jobs_fixture *f = *state;

    f->limits.pool_hosts_max = 2;
    restart(f);
    struct client *root = pool_of_mail(f, "hosts=2");
    for (int i = 0; i < 3; i++)
        submit(f, root, MAIL());
    struct client *a = host_up(f), *b = host_up(f);
    begin(f, a);
    begin(f, b);
    ask_ok(f, root, set("hosts=1"), 0);
    ask_ok(f, root, set("hosts=2"), 0);
    assert_int_equal(f->hosts_started, 2);
}

static void test_the_list_is_by_name_and_in_pages(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *root = client_new(f, 0);
    struct request list = {.verb = VERB_POOL_LIST, .pool_list.limit = 2};

    for (const char *name = "cab"; *name; name++)
        ask_ok(f, root, (struct request){.verb = VERB_POOL_SET, .pool_set = {{name, 1}, text("queues=mail")}},
               0);
    struct seen *seen = ask_ok(f, root, list, 0);
    assert_int_equal(seen->stats_n, 2);
    assert_string_equal(seen->stats[0], "a");
    assert_true(seen->flags & RESULT_MORE);
    list.pool_list.after = TEXT("b");
    seen = ask_ok(f, root, list, 0);
    assert_int_equal(seen->stats_n, 1);
    assert_string_equal(seen->stats[0], "c");
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, jobs_set_up, jobs_tear_down)
    const struct CMUnitTest tests[] = {
        T(test_jobs_of_a_pool_and_others_run_in_hosts_of_their_own),
        T(test_one_more_host_starts_when_those_there_are_busy),
        T(test_a_host_runs_as_many_as_the_pool_says),
        T(test_min_hosts_start_before_any_job),
        T(test_a_plugin_that_is_not_there_is_looked_for_again),
        T(test_fewer_hosts_drain_the_least_busy_and_lose_no_job),
        T(test_a_host_that_starts_is_not_needed_any_more),
        T(test_hosts_of_a_plugin_that_is_the_pools_no_more_are_drained),
        T(test_a_host_that_dies_is_replaced_and_its_job_runs_again),
        T(test_other_hosts_go_on_while_one_is_replaced),
        T(test_suspects_go_to_a_fresh_host_one_at_a_time),
        T(test_a_drain_waits_for_what_runs_and_starts_nothing),
        T(test_a_drain_that_is_ended_is_told_so),
        T(test_jobs_of_a_removed_pool_go_to_the_hosts_of_no_pool),
        T(test_the_first_pool_by_name_has_the_jobs),
        T(test_a_new_generation_has_hosts_of_its_own_in_each_pool),
        T(test_what_is_set_is_kept_over_a_restart),
        T(test_a_pool_of_the_configuration_says_so_and_stays),
        T(test_a_pool_that_the_configuration_gives_no_work_any_more_is_left_out),
        T(test_what_makes_no_sense_is_refused_in_words),
        T(test_others_look_and_change_nothing),
        T(test_there_are_so_many_pools_and_no_more),
        T(test_what_was_set_is_there_above_the_number_of_pools),
        T(test_drained_hosts_count_among_those_a_pool_may_have),
        T(test_the_list_is_by_name_and_in_pages),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
