/* The example's counting and summing: words of a text, parts of files that arrive more than once. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tally.h"
#include "words.h"

static uint64_t count_of(const struct words *words, const char *text)
{
    struct word *word;

    HASH_FIND(hh, words->table, text, strlen(text), word);
    return word ? word->count : 0;
}

static void test_words_are_runs_of_letters_in_small_letters(void **state)
{
    char text[] = "The quick-brown fox; THE\tfox2the caf\xc3\xa9 _end";
    struct words words = {0};

    assert_int_equal(words_count(&words, text, sizeof text - 1), 0);
    assert_int_equal(words.total, 9);
    assert_int_equal(count_of(&words, "the"), 3);
    assert_int_equal(count_of(&words, "fox"), 2);
    assert_int_equal(count_of(&words, "caf"), 1);
    assert_int_equal(count_of(&words, "end"), 1);
    words_clear(&words);
}

static void test_a_text_without_letters_has_no_words(void **state)
{
    char text[] = "12 + 3 = ?\n";
    struct words words = {0};

    assert_int_equal(words_count(&words, text, sizeof text - 1), 0);
    assert_int_equal(words_count(&words, text, 0), 0);
    assert_int_equal(words.total, 0);
    assert_null(words_by_name(&words));
}

static void test_orders(void **state)
{
    char text[] = "b a c b d d";
    struct words words = {0};
    struct word **sorted;

    assert_int_equal(words_count(&words, text, sizeof text - 1), 0);
    sorted = words_by_count(&words);
    assert_string_equal(sorted[0]->text, "b");
    assert_string_equal(sorted[1]->text, "d");
    assert_string_equal(sorted[2]->text, "a");
    free(sorted);
    sorted = words_by_name(&words);
    assert_string_equal(sorted[0]->text, "a");
    assert_string_equal(sorted[3]->text, "d");
    free(sorted);
    words_clear(&words);
}

static int tally_create(void **state)
{
    struct tally *tally = calloc(1, sizeof *tally);

    *state = tally;
    return !tally || tally_add(tally, "/one") || tally_add(tally, "/two");
}

static int tally_destroy(void **state)
{
    tally_clear(*state);
    free(*state);
    return 0;
}

static int take(struct tally *tally, const char *text)
{
    return tally_take(tally, text, strlen(text));
}

static void test_parts_of_a_file_are_added_with_the_last(void **state)
{
    struct tally *tally = *state;

    assert_int_equal(take(tally, "+ 0 7 0 10 200\n3 the\n1 fox\n"), 0);
    assert_int_equal(tally->words.total, 0);
    assert_int_equal(take(tally, ". 0 7 1 10 200\n2 a\n"), 0);
    assert_int_equal(tally->words.total, 6);
    assert_int_equal(tally->counted, 1);
    assert_int_equal(tally->lines, 10);
    assert_int_equal(tally->bytes, 200);
    assert_false(tally_complete(tally));
}

static void test_a_file_counts_once(void **state)
{
    struct tally *tally = *state;

    assert_int_equal(take(tally, ". 0 7 0 1 9\n3 the\n"), 0);
    assert_int_equal(take(tally, ". 0 7 0 1 9\n3 the\n"), 0);
    assert_int_equal(take(tally, ". 0 8 0 1 9\n3 the\n"), 0);
    assert_int_equal(tally->words.total, 3);
    assert_int_equal(tally->lines, 1);
}

static void test_a_newer_run_replaces_the_parts_of_an_older(void **state)
{
    struct tally *tally = *state;

    assert_int_equal(take(tally, "+ 0 7 0 1 9\n100 lost\n"), 0);
    assert_int_equal(take(tally, "+ 0 8 0 1 9\n3 the\n"), 0);
    assert_int_equal(take(tally, ". 0 7 1 1 9\n100 late\n"), 0);
    assert_int_equal(take(tally, ". 0 8 1 1 9\n1 fox\n"), 0);
    assert_int_equal(tally->words.total, 4);
    assert_int_equal(count_of(&tally->words, "lost"), 0);
    assert_int_equal(count_of(&tally->words, "late"), 0);
}

static void test_a_redelivered_part_counts_once(void **state)
{
    struct tally *tally = *state;

    assert_int_equal(take(tally, "+ 1 7 0 1 9\n3 the\n"), 0);
    assert_int_equal(take(tally, "+ 1 7 0 1 9\n3 the\n"), 0);
    assert_int_equal(take(tally, ". 1 7 1 1 9\n"), 0);
    assert_int_equal(tally->words.total, 3);
}

static void test_an_error_ends_the_wait_for_its_file_once(void **state)
{
    struct tally *tally = *state;

    assert_string_equal(tally_take_error(tally, "0 /one: No such file"), "/one: No such file");
    assert_null(tally_take_error(tally, "0 /one: No such file"));
    assert_null(tally_take_error(tally, "9 no such tag"));
    assert_null(tally_take_error(tally, "nonsense"));
    assert_int_equal(take(tally, ". 1 1 0 0 0\n"), 0);
    assert_true(tally_complete(tally));
    assert_int_equal(tally->failed, 1);
}

static void test_values_of_others_are_refused(void **state)
{
    static const char *const wrong[] = {
        "",
        "no header",
        "x\n",
        ". 2 1 0 0 0\n",
        ". 0 1 0 0 0\n3 unended",
        ". 0 1 0 0 0\nword\n",
        ". 0 1 0 0 0\n3\n",
        ". 0 1 0 0 0\n\n3 a\n",
    };

    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        assert_int_equal(take(*state, wrong[i]), -EBADMSG);
        tally_destroy(state);
        assert_int_equal(tally_create(state), 0);
    }
}

int main(void)
{
#define TALLY_TEST(name) cmocka_unit_test_setup_teardown(name, tally_create, tally_destroy)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_words_are_runs_of_letters_in_small_letters),
        cmocka_unit_test(test_a_text_without_letters_has_no_words),
        cmocka_unit_test(test_orders),
        TALLY_TEST(test_parts_of_a_file_are_added_with_the_last),
        TALLY_TEST(test_a_file_counts_once),
        TALLY_TEST(test_a_newer_run_replaces_the_parts_of_an_older),
        TALLY_TEST(test_a_redelivered_part_counts_once),
        TALLY_TEST(test_an_error_ends_the_wait_for_its_file_once),
        TALLY_TEST(test_values_of_others_are_refused),
    };

    return cmocka_run_group_tests_name("wordstat", tests, NULL, NULL);
}
