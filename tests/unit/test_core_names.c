/* Names in their order against an array that is sorted: random ones come and go. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine.h"
#include "name_tree.h"

enum { NAMES = 500, ROUNDS = 20000 };

struct known {
    struct name_node node;
    struct bytes name;
    bool in;
    char text[8];
};

static struct known known[NAMES];
static struct name_tree tree;
static unsigned long seed;

static unsigned draw(unsigned below)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(seed >> 33) % below;
}

/* Each has a name of its own. */
static void name_all(const char *format, unsigned words)
{
    static const char *const beginnings[] = {"", "a", "ab"};

    tree.root = NULL;
    for (unsigned i = 0; i < NAMES; i++) {
        int size = snprintf(known[i].text, sizeof(known[i].text), format, beginnings[i % words], i / words);

        known[i].name = (struct bytes){known[i].text, (size_t)size};
        known[i].in = false;
    }
}

static struct known *known_of(struct name_node *node)
{
    return node ? container_of(node, struct known, node) : NULL;
}

/* The least of those that are in and at this name or, with `behind`, behind it. */
static struct known *expected(struct bytes name, bool behind)
{
    struct known *least = NULL;

    for (int i = 0; i < NAMES; i++)
        if (known[i].in && name_order(known[i].name, name) >= behind &&
            (!least || name_order(known[i].name, least->name) < 0))
            least = &known[i];
    return least;
}

/* How many there are from this node on, which is heavier than those below it. */
static size_t look(const struct name_node *node, size_t depth, size_t *deepest)
{
    const struct name_node *under[] = {node->left, node->right};
    size_t n = 1;

    *deepest = depth > *deepest ? depth : *deepest;
    for (int i = 0; i < 2; i++) {
        if (!under[i])
            continue;
        assert_true(under[i]->weight <= node->weight);
        n += look(under[i], depth + 1, deepest);
    }
    return n;
}

static void assert_same(size_t n)
{
    struct name_walk walk;
    struct name_node *at = name_walk_first(&walk, &tree);
    struct known *k = expected((struct bytes){"", 0}, false);
    size_t walked = 0;

    for (; k; k = expected(k->name, true), at = name_walk_next(&walk), walked++)
        assert_ptr_equal(known_of(at), k);
    assert_null(at);
    assert_int_equal(walked, n);
}

static void assert_shallow(size_t n)
{
    size_t deepest = 0;

    assert_int_equal(tree.root ? look(tree.root, 1, &deepest) : 0, n);
    assert_true(deepest <= 40); /* of 500 at random: about 20 */
}

static void assert_all(size_t n)
{
    assert_same(n);
    assert_shallow(n);
}

static void test_names_are_found_and_followed_in_their_order(void **state)
{
    struct name_walk walk;
    size_t n = 0;

    name_all("%s%u", 3);
    for (int round = 0; round < ROUNDS; round++) {
        struct known *k = &known[draw(NAMES)];
        bool behind = draw(2);

        if (k->in)
            name_tree_remove(&tree, &k->node);
        else
            name_tree_add(&tree, &k->node, &k->name, seed * 0x9e3779b97f4a7c15u);
        k->in = !k->in;
        n += k->in ? 1 : -1;
        k = &known[draw(NAMES)];
        assert_ptr_equal(known_of(name_walk_from(&walk, &tree, k->name, behind)), expected(k->name, behind));
        if (round % 1000 == 0)
            assert_all(n);
    }
    for (int i = 0; i < NAMES; i++)
        if (known[i].in)
            name_tree_remove(&tree, &known[i].node);
    assert_null(tree.root);
}

static void test_names_that_come_in_their_order_make_no_list(void **state)
{
    name_all("%s%03u", 1);
    for (int i = 0; i < NAMES; i++) {
        known[i].in = true;
        draw(2);
        name_tree_add(&tree, &known[i].node, &known[i].name, seed);
    }
    assert_all(NAMES);
}

/* As no keyed hash makes it: first all to the left, then with another such list below each tenth. */
static void test_a_tree_that_is_too_deep_is_followed_in_its_order(void **state)
{
    for (int tooth = 1; tooth <= NAMES; tooth *= 10) {
        name_all("%s%03u", 1);
        for (int i = 0; i < NAMES; i++) {
            known[i].in = true;
            name_tree_add(&tree, &known[i].node, &known[i].name, (uint64_t)(i % tooth ? i : NAMES + i));
        }
        assert_same(NAMES);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names_are_found_and_followed_in_their_order),
        cmocka_unit_test(test_names_that_come_in_their_order_make_no_list),
        cmocka_unit_test(test_a_tree_that_is_too_deep_is_followed_in_its_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
