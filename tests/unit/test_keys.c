/* Files of secret keys, the file of keys that may connect, and the numbers of accounts made from names. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "identity.h"
#include "keys.h"
#include "paths.h"
#include "table_file.h"

#define ALICE    "4h5$Jh!DdM9=8^b2QO/wVv5P<oT.[-g3.=lP4DK="
#define BOB      "V<T6KSt<d&XNX%[]SsFi3fygM^f{yxi&>&crzrgm"
#define TOO_HIGH "#####$Jh!DdM9=8^b2QO/wVv5P<oT.[-g3.=lP4D"

static char directory[64], file[128], said[KEY_WHY_BYTES];
static char *why;
static struct keys *keys;

static int set_up(void **state)
{
    strcpy(directory, "/tmp/test_keys-XXXXXX");
    assert_non_null(mkdtemp(directory));
    snprintf(file, sizeof(file), "%s/keys", directory);
    return 0;
}

static int tear_down(void **state)
{
    free(why);
    why = NULL;
    keys = keys_delete(keys);
    paths_remove(directory);
    return 0;
}

static void write_file(const char *text, mode_t mode)
{
    FILE *to = fopen(file, "w");

    assert_non_null(to);
    fputs(text, to);
    assert_int_equal(fclose(to), 0);
    assert_int_equal(chmod(file, mode), 0);
}

static int read_pair(const char *text, mode_t mode, struct key_pair *pair)
{
    write_file(text, mode);
    *said = '\0';
    return key_file_read(file, pair, said);
}

static int read_keys(const char *text, mode_t mode)
{
    write_file(text, mode);
    free(why);
    why = NULL;
    keys = keys_delete(keys);
    return keys_read(file, &keys, &why);
}

static void refuse_keys(const char *text, const char *words)
{
    assert_int_equal(read_keys(text, 0644), -EINVAL);
    assert_null(keys);
    if (!strstr(why, words))
        fail_msg("'%s' does not say '%s'", why, words);
}

static void refuse_pair(const char *text, mode_t mode, int error, const char *words)
{
    struct key_pair pair;

    assert_int_equal(read_pair(text, mode, &pair), error);
    assert_string_equal(pair.secret.text, "");
    if (!strstr(said, words))
        fail_msg("'%s' does not say '%s'", said, words);
}

static void test_a_file_of_keys_is_read(void **state)
{
    struct key_pair pair;

    assert_int_equal(read_pair("# keys\n\npublic " ALICE "\nsecret " BOB "\n", 0600, &pair), 0);
    assert_string_equal(pair.public.text, ALICE);
    assert_string_equal(pair.secret.text, BOB);
    assert_int_equal(read_pair("secret " BOB "\npublic " ALICE, 0400, &pair), 0);
    assert_string_equal(pair.secret.text, BOB);
}

static void test_a_secret_that_others_may_reach_is_refused(void **state)
{
    static const mode_t modes[] = {0640, 0604, 0620, 0601};

    for (size_t i = 0; i < sizeof(modes) / sizeof(*modes); i++)
        refuse_pair("public " ALICE "\nsecret " BOB "\n", modes[i], -EACCES,
                    "others may reach it; chmod 600");
}

static void test_a_file_that_holds_no_keys_is_refused_with_its_line(void **state)
{
    char long_text[KEY_FILE_BYTES_MAX + 2];
    struct key_pair pair;

    refuse_pair("", 0600, -EINVAL, "has no line `public KEY`");
    refuse_pair("public " ALICE "\n", 0600, -EINVAL, "has no line `secret KEY`");
    refuse_pair("public " ALICE "\n\nsecret short\n", 0600, -EINVAL, "keys:3: neither `public KEY` nor");
    refuse_pair("public " TOO_HIGH "\n", 0600, -EINVAL, "keys:1: neither");
    refuse_pair("public " ALICE " \n", 0600, -EINVAL, "keys:1: neither");
    memset(long_text, '#', sizeof(long_text) - 1);
    long_text[sizeof(long_text) - 1] = '\0';
    refuse_pair(long_text, 0600, -EINVAL, "has more than 4096 bytes");
    assert_int_equal(key_file_read(directory, &pair, said), -EINVAL);
    assert_int_equal(key_file_read("/nowhere/keys", &pair, said), -ENOENT);
    assert_non_null(strstr(said, "cannot open the secret key /nowhere/keys: No such file"));
}

static void test_keys_that_may_connect_are_found_by_the_key(void **state)
{
    assert_int_equal(read_keys("# who\n\n  alice\t" ALICE "\nbob " BOB "\r\n", 0644), 0);
    assert_int_equal(keys->n, 2);
    assert_string_equal(keys_find(keys, ALICE)->name, "alice");
    assert_string_equal(keys_find(keys, BOB)->name, "bob");
    assert_int_equal(keys_find(keys, BOB)->account, key_account("bob"));
    assert_null(keys_find(keys, TOO_HIGH));
    assert_null(keys_find(keys, ""));
    assert_null(keys_find(NULL, ALICE));
}

static void test_a_wrong_row_is_told_with_file_line_and_value(void **state)
{
    refuse_keys("alice " ALICE "\nbob\n", "keys:2: a row is NAME PUBLICKEY");
    refuse_keys("alice " ALICE " more\n", "keys:1: a row is NAME PUBLICKEY");
    refuse_keys("# 1\nbob nonsense\n", "keys:2: 'nonsense' is no public key");
    refuse_keys("al/ice " ALICE "\n", "keys:1: 'al/ice' is no name of a key: 1 to 31 of");
    refuse_keys("abcdefghijabcdefghijabcdefghij12 " ALICE "\n", "is no name of a key");
    refuse_keys("alice " ALICE "\nalice " BOB "\n", "keys:2: there is a key of the name alice already");
    refuse_keys("alice " ALICE "\nbob " ALICE "\n", "keys:2: this key has the name alice already");
}

static void test_text_with_a_zero_byte_is_refused(void **state)
{
    FILE *to = fopen(file, "w");

    fwrite("alice " ALICE "\n\0bob " BOB "\n", 1, 2 * KEY_CHARS + 12, to);
    fclose(to);
    assert_int_equal(chmod(file, 0644), 0);
    assert_int_equal(keys_read(file, &keys, &why), -EINVAL);
    assert_non_null(strstr(why, "keys:2: this is no text"));
}

static void test_a_file_that_others_may_write_is_refused(void **state)
{
    assert_int_equal(read_keys("alice " ALICE "\n", 0664), -EACCES);
    assert_non_null(strstr(why, "with mode 0664"));
    assert_int_equal(read_keys("alice " ALICE "\n", 0646), -EACCES);
    assert_int_equal(read_keys("alice " ALICE "\n", 0644), 0);
}

static void test_a_table_has_an_end(void **state)
{
    struct keys many = {0};
    char name[16], key[KEY_CHARS + 1];
    int r = 0;

    for (int i = 0; i <= KEYS_MAX; i++) {
        snprintf(name, sizeof(name), "k%d", i);
        snprintf(key, sizeof(key), "%040d", i);
        r = keys_add(&many, (const char *const[]){name, key}, &why);
        assert_int_equal(r, i < KEYS_MAX ? 0 : -EINVAL);
    }
    assert_non_null(strstr(why, "more than 4096 keys"));
    free(many.keys);
}

static void test_a_file_has_an_end(void **state)
{
    write_file("", 0644);
    assert_int_equal(truncate(file, TABLE_FILE_BYTES_MAX + 1), 0);
    assert_int_equal(keys_read(file, &keys, &why), -EINVAL);
    assert_non_null(strstr(why, "has 1048577 bytes; 1048576 are allowed"));
}

/* Stored with jobs: the numbers may never change. */
static void test_the_account_of_a_key_is_made_from_its_name(void **state)
{
    assert_int_equal(key_account("alice"), 0x872213e7u);
    assert_true(key_account("alice") != key_account("bob"));
    for (char name[] = "a"; *name <= 'z'; ++*name) {
        assert_true(key_account(name) >= ACCOUNT_KEYS);
        assert_true(key_account(name) != ACCOUNT_UNKNOWN);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_a_file_of_keys_is_read),
        TEST(test_a_secret_that_others_may_reach_is_refused),
        TEST(test_a_file_that_holds_no_keys_is_refused_with_its_line),
        TEST(test_keys_that_may_connect_are_found_by_the_key),
        TEST(test_a_wrong_row_is_told_with_file_line_and_value),
        TEST(test_text_with_a_zero_byte_is_refused),
        TEST(test_a_file_that_others_may_write_is_refused),
        TEST(test_a_table_has_an_end),
        TEST(test_a_file_has_an_end),
        TEST(test_the_account_of_a_key_is_made_from_its_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
