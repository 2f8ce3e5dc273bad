/* Objects of one size in pieces of memory: none lies on another, and the memory goes back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core_internal.h"
#include "slab.h"

enum { OBJECTS = 3000, BYTES = 168 };

static size_t pieces;
static bool refused;

static void *resize(void *context, void *p, size_t size)
{
    if (size && !refused) {
        pieces += p == NULL;
        return realloc(p, size);
    }
    if (size)
        return NULL;
    pieces--;
    free(p);
    return NULL;
}

static struct core *core;
static struct slabs slabs;
static unsigned char *object[OBJECTS];

static int set_up_keeping(size_t keep_bytes)
{
    const struct limits limits = LIMITS_DEFAULT;
    const struct allocator memory = {resize, NULL, keep_bytes};

    pieces = 0;
    core = core_new(&limits, &memory, 0, 1, 1);
    slabs_init(&slabs, BYTES);
    return core ? 0 : -1;
}

static int set_up(void **state)
{
    return set_up_keeping(1 << 20);
}

static int set_up_plain(void **state)
{
    return set_up_keeping(0);
}

static int tear_down(void **state)
{
    slabs_free(core, &slabs);
    core_delete(core);
    assert_int_equal(pieces, 0);
    return 0;
}

static bool all_are(const unsigned char *bytes, unsigned char byte)
{
    return bytes[0] == byte && memcmp(bytes, bytes + 1, BYTES - 1) == 0;
}

static void take(int i)
{
    object[i] = slabs_take(core, &slabs);
    assert_non_null(object[i]);
    assert_true(all_are(object[i], 0));
    memset(object[i], i % 251 + 1, BYTES);
}

static void give(int i)
{
    assert_true(all_are(object[i], (unsigned char)(i % 251 + 1)));
    slabs_give(core, &slabs, object[i]);
}

static void test_each_object_is_empty_and_its_own(void **state)
{
    for (int i = 0; i < OBJECTS; i++)
        take(i);
    for (int i = 0; i < OBJECTS; i += 3)
        give(i);
    for (int i = 0; i < OBJECTS; i += 3)
        take(i);
    for (int i = 0; i < OBJECTS; i++)
        give(i);
}

static void test_pieces_go_back_but_for_the_last(void **state)
{
    size_t before = pieces;

    for (int i = 0; i < OBJECTS; i++)
        take(i);
    assert_in_range(pieces, before + 2, before + OBJECTS / 100);
    for (int i = 0; i < OBJECTS; i++)
        give(i * 7 % OBJECTS);
    assert_int_equal(pieces, before + 1);
    take(0);
    assert_int_equal(pieces, before + 1);
    give(0);
}

static void test_an_allocator_that_keeps_nothing_gives_each_by_itself(void **state)
{
    size_t before = pieces;

    take(0);
    take(1);
    assert_int_equal(pieces, before + 2);
    give(1);
    give(0);
    assert_int_equal(pieces, before);
}

static void test_memory_that_is_out_is_told(void **state)
{
    refused = true;
    assert_null(slabs_take(core, &slabs));
    refused = false;
    take(0);
    give(0);
}

#define TEST(test, set_up) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_each_object_is_empty_and_its_own, set_up),
        TEST(test_each_object_is_empty_and_its_own, set_up_plain),
        TEST(test_pieces_go_back_but_for_the_last, set_up),
        TEST(test_an_allocator_that_keeps_nothing_gives_each_by_itself, set_up_plain),
        TEST(test_memory_that_is_out_is_told, set_up),
        TEST(test_memory_that_is_out_is_told, set_up_plain),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
