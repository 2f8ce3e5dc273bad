/* TOPIC_LIST (IP14.10, IP14.13, IP15): what is kept, remembered and subscribed to, in the order of names, a page at a time. */
#include <stdio.h>
#include <stdlib.h>

#include "kept_fixture.h"
#include "pattern.h"
#include "topic.h"

enum { KINDS = 3, PAGE = 5 };

static unsigned long seed;

static unsigned draw(unsigned below)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(seed >> 33) % below;
}

static int setup(void **state)
{
    int r = kept_setup(state);

    set_topic(a, "l.>", "last=yes");
    set_topic(a, "b.>", "last=yes");
    return r;
}

/* What is there: names that somebody has subscribed to, published on kept, and on live topics. */
static char there[256][16];
static size_t there_n;

static void note(const char *name)
{
    for (size_t i = 0; i < there_n; i++)
        if (strcmp(there[i], name) == 0)
            return;
    snprintf(there[there_n++], sizeof(there[0]), "%s", name);
}

static int by_text(const void *a_name, const void *b_name)
{
    return strcmp(a_name, b_name);
}

static void make_one(void)
{
    static const char *const first[] = {"k", "l", "b", "x"}, *const second[] = {"a", "b", "bb", "c"};
    unsigned kind = draw(KINDS);
    char name[16];

    snprintf(name, sizeof(name), "%s.%s%s%u", first[draw(4)], second[draw(4)], draw(2) ? "." : "", draw(4));
    if (kind == 0)
        name[0] = "*kl"[draw(3)];
    if (kind == 0)
        subscribe(b, name);
    else
        published(a, name, "m");
    if (kind == 0 || name[0] != 'x')
        note(name);
}

/* All pages of it, with a blank behind each name. */
static const char *listed(const char *pattern)
{
    static char all[4096];
    char after[64] = "";
    const struct got *g;

    all[0] = 0;
    do {
        uint64_t op = client_do(a, (struct request){.verb = VERB_TOPIC_LIST,
                                                    .topic_list = {.pattern = {pattern, strlen(pattern)},
                                                                   .after = {after, strlen(after)},
                                                                   .limit = PAGE}});
        assert_status(a, op, 0);
        g = got(a, op);
        strcat(all, g->names);
        size_t n = strlen(g->names), end = n ? n - 1 : 0, from = end;
        while (from && g->names[from - 1] != ' ')
            from--;
        snprintf(after, sizeof(after), "%.*s", (int)(end - from), g->names + from);
    } while (g->flags & RESULT_MORE);
    return all;
}

static const char *expected(const char *pattern)
{
    static char all[4096];
    struct bytes wanted = {pattern, strlen(pattern)};

    all[0] = 0;
    qsort(there, there_n, sizeof(there[0]), by_text);
    for (size_t i = 0; i < there_n; i++)
        if (!wanted.size || pattern_match(wanted, (struct bytes){there[i], strlen(there[i])}))
            strcat(strcat(all, there[i]), " ");
    return all;
}

static void test_IP14_10_all_of_them_come_once_in_the_order_of_their_names(void **state)
{
    static const char *const patterns[] = {"",       ">",     "k.>", "*.b*", "l.*",
                                           "*.bb.>", "*.bb0", "b.a", "zz.>", "k.b"};

    there_n = 0;
    for (int i = 0; i < 60; i++) {
        make_one();
        for (size_t p = 0; i % 6 == 0 && p < sizeof(patterns) / sizeof(*patterns); p++)
            assert_string_equal(listed(patterns[p]), expected(patterns[p]));
    }
    assert_string_equal(listed(""), expected(""));
}

static void test_IP14_10_what_is_gone_is_not_listed(void **state)
{
    uint64_t h = subscribe(b, "x.a");

    subscribe(b, "x.b");
    published(a, "k.a", "1");
    published(a, "l.a", "1");
    subscribe(b, "l.a");
    client_do(b, (struct request){.verb = VERB_CHAN_DROP, .chan_drop = {h}});
    assert_string_equal(listed(""), "k.a l.a x.b ");
    client_do(a, (struct request){.verb = VERB_TOPIC_REMOVE, .topic_remove.topic = {"k.a", 3}});
    stored(d);
    client_do(a, (struct request){.verb = VERB_TOPIC_PURGE, .topic_purge.topic = {"l.a", 3}});
    assert_string_equal(listed(""), "l.a x.b ");
    client_die(b);
    rig_sweep(d->rig);
    assert_string_equal(listed(""), "");
}

#define LIST_TEST(test) cmocka_unit_test_setup_teardown(test, setup, durable_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        LIST_TEST(test_IP14_10_all_of_them_come_once_in_the_order_of_their_names),
        LIST_TEST(test_IP14_10_what_is_gone_is_not_listed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
