/* The trie against the matcher of one pattern and one topic: random patterns come and go. */
#include "core_fixture.h"

#include <stdio.h>

#include "core_internal.h"
#include "trie.h"

enum { PATTERNS = 400, ROUNDS = 40000 };

struct known {
    struct trie_entry entry;
    bool in, told;
    char text[64];
};

static struct rig *rig;
static struct trie trie;
static struct known known[PATTERNS];
static unsigned long seed;

static unsigned draw(unsigned below)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(seed >> 33) % below;
}

/* Few words, so that many patterns meet. */
static size_t write_tokens(char *to, bool wild)
{
    static const char *const words[] = {"a", "b", "c", "dd"};
    size_t n = 1 + draw(4);

    *to = 0;
    for (size_t i = 0; i < n; i++) {
        unsigned kind = wild ? draw(5) : 4;

        if (i)
            strcat(to, ".");
        if (kind == 0 && i + 1 == n)
            strcat(to, ">");
        else if (kind <= 1)
            strcat(to, "*");
        else
            strcat(to, words[draw(4)]);
    }
    return strlen(to);
}

static int note(void *arg, struct trie_entry *entry)
{
    struct known *k = map_entry(entry, struct known, entry);

    assert_true(k->in && !k->told);
    k->told = true;
    return 0;
}

static void look(void)
{
    char text[64];
    struct bytes topic = {text, write_tokens(text, false)};

    assert_int_equal(trie_match(rig->core, &trie, topic, note, NULL), 0);
    for (int i = 0; i < PATTERNS; i++) {
        assert_int_equal(known[i].told, known[i].in && pattern_match(known[i].entry.pattern, topic));
        known[i].told = false;
    }
}

static void come_or_go(struct known *k)
{
    if (k->in) {
        assert_ptr_equal(trie_find(rig->core, &trie, k->entry.pattern), &k->entry);
        trie_remove(rig->core, &trie, &k->entry);
        k->in = false;
        return;
    }
    const char *why;
    k->entry.pattern = (struct bytes){k->text, write_tokens(k->text, true)};
    assert_int_equal(pattern_check(k->entry.pattern, &why), 0);
    if (trie_find(rig->core, &trie, k->entry.pattern))
        return;
    k->in = trie_add(rig->core, &trie, &k->entry) == 0;
}

static void empty(void)
{
    for (int i = 0; i < PATTERNS; i++)
        if (known[i].in)
            come_or_go(&known[i]);
    assert_int_equal(trie.nodes_n, 0);
    trie_check(&trie);
    trie_free(rig->core, &trie);
    rig_delete(rig);
}

static void begin(unsigned long with)
{
    rig = rig_new();
    seed = with;
    trie = (struct trie){0};
    memset(known, 0, sizeof(known));
}

static void test_IP14_1_a_trie_finds_what_one_pattern_after_the_other_matches(void **state)
{
    begin(1);
    for (int i = 0; i < ROUNDS; i++) {
        come_or_go(&known[draw(PATTERNS)]);
        if (i % 8 == 0)
            look();
        if (i % 512 == 0)
            trie_check(&trie);
    }
    empty();
}

static void test_IP14_1_a_pattern_that_finds_no_memory_is_not_there(void **state)
{
    begin(2);
    for (int i = 0; i < 4000; i++) {
        rig->fail_from = rig->allocs + (long)draw(6);
        rig->fail_to = rig->fail_from + 1;
        come_or_go(&known[draw(PATTERNS)]);
        rig->fail_to = 0;
        trie_check(&trie);
        if (i % 16 == 0)
            look();
    }
    empty();
}

/* Deeper ones, of more words: about as many as a machine has subscriptions. */
enum { MANY = 100000, TOPICS = 60 };

static struct known many[MANY];

static size_t write_deep(char *to, bool wild)
{
    size_t n = 2 + draw(4), at = 0;

    for (size_t i = 0; i < n; i++) {
        unsigned kind = wild ? draw(6) : 5;

        at += (size_t)sprintf(to + at, "%s", i ? "." : "");
        if (kind == 0 && i + 1 == n)
            at += (size_t)sprintf(to + at, ">");
        else if (kind <= 1)
            at += (size_t)sprintf(to + at, "*");
        else
            at += (size_t)sprintf(to + at, "w%u", draw(i ? 12 : 4));
    }
    return at;
}

static void test_IP14_1_of_a_hundred_thousand_patterns_those_that_match_are_found(void **state)
{
    char text[64];
    size_t found = 0;

    begin(4);
    for (int i = 0; i < MANY; i++) {
        struct known *k = &many[i];

        k->entry.pattern = (struct bytes){k->text, write_deep(k->text, true)};
        k->in = !trie_find(rig->core, &trie, k->entry.pattern) && trie_add(rig->core, &trie, &k->entry) == 0;
    }
    trie_check(&trie);
    for (int n = 0; n < TOPICS; n++) {
        struct bytes topic = {text, write_deep(text, false)};

        assert_int_equal(trie_match(rig->core, &trie, topic, note, NULL), 0);
        for (int i = 0; i < MANY; i++) {
            assert_int_equal(many[i].told, many[i].in && pattern_match(many[i].entry.pattern, topic));
            found += many[i].told;
            many[i].told = false;
        }
    }
    assert_true(found > TOPICS);
    for (int i = 0; i < MANY; i++)
        if (many[i].in)
            trie_remove(rig->core, &trie, &many[i].entry);
    empty();
}

static int stop(void *arg, struct trie_entry *entry)
{
    ++*(int *)arg;
    return -7;
}

static void test_a_match_stops_when_it_is_told(void **state)
{
    struct trie_entry one = {.pattern = {"a.*", 3}}, two = {.pattern = {">", 1}};
    int told = 0;

    begin(3);
    assert_true(trie_add(rig->core, &trie, &one) == 0 && trie_add(rig->core, &trie, &two) == 0);
    assert_int_equal(trie_match(rig->core, &trie, (struct bytes){"a.b", 3}, stop, &told), -7);
    assert_int_equal(told, 1);
    trie_remove(rig->core, &trie, &one);
    trie_remove(rig->core, &trie, &two);
    empty();
}

static void test_IP14_11_what_a_pattern_begins_with_bounds_what_it_matches(void **state)
{
    static const struct {
        const char *pattern, *prefix;
    } row[] = {{"a.b", "a.b"}, {"a.*", "a."}, {"a.>", "a."}, {">", ""}, {"*.a", ""}, {"a.b.*.c", "a.b."}};

    for (size_t i = 0; i < sizeof(row) / sizeof(*row); i++) {
        struct bytes prefix = pattern_prefix((struct bytes){row[i].pattern, strlen(row[i].pattern)});

        assert_true(bytes_are(prefix, row[i].prefix, strlen(row[i].prefix)));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_IP14_1_a_trie_finds_what_one_pattern_after_the_other_matches),
        cmocka_unit_test(test_IP14_1_a_pattern_that_finds_no_memory_is_not_there),
        cmocka_unit_test(test_IP14_1_of_a_hundred_thousand_patterns_those_that_match_are_found),
        cmocka_unit_test(test_a_match_stops_when_it_is_told),
        cmocka_unit_test(test_IP14_11_what_a_pattern_begins_with_bounds_what_it_matches),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
