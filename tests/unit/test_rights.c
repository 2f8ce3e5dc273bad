/* The table of rights, pure: which verb needs what, which row lets whom; and the file it comes from. */
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

#include "paths.h"
#include "rights_file.h"
#include "table_file.h"

#define BYTES(text) ((struct bytes){(text), sizeof(text) - 1})

static char directory[64], file[128];
static char *why;
static struct rights *rights;

static int set_up(void **state)
{
    strcpy(directory, "/tmp/test_rights-XXXXXX");
    assert_non_null(mkdtemp(directory));
    snprintf(file, sizeof(file), "%s/rights", directory);
    return 0;
}

static int tear_down(void **state)
{
    free(why);
    why = NULL;
    rights = rights_delete(rights);
    paths_remove(directory);
    return 0;
}

static int read_rights(const char *text)
{
    FILE *to = fopen(file, "w");

    assert_non_null(to);
    fputs(text, to);
    assert_int_equal(fclose(to), 0);
    free(why);
    why = NULL;
    rights = rights_delete(rights);
    return rights_read(file, &rights, &why);
}

static void refuse(const char *text, const char *words)
{
    assert_int_equal(read_rights(text), -EINVAL);
    assert_null(rights);
    if (!strstr(why, words))
        fail_msg("'%s' does not say '%s'", why, words);
}

static bool let(uint32_t account, uint32_t groups, struct bytes name)
{
    struct right_want want = {.groups = groups, .name = name};

    return rights_let(rights, account, &want);
}

/* ---- verbs ---- */

static void test_every_verb_has_its_row(void **state)
{
    static const char *const names[VERB_NUMBER_END] = {
#define VERB_NAME(NAME, name, number, flags, help) [number] = #NAME,
        VERBS(VERB_NAME)
#undef VERB_NAME
    };
    unsigned rows[VERB_NUMBER_END] = {0};
#define VERB_COUNT(NAME, group, kind, member) rows[VERB_##NAME]++;
    VERB_RIGHTS(VERB_COUNT)
#undef VERB_COUNT
    for (int verb = 0; verb < VERB_NUMBER_END; verb++)
        if ((names[verb] != NULL) != (rows[verb] == 1))
            fail_msg("%s (%d) has %u rows in VERB_RIGHTS", names[verb] ? names[verb] : "no verb", verb,
                     rows[verb]);
}

/* A new row of VERB_RIGHTS that is FREE is free by intent: it stands here too. */
static void test_only_these_verbs_need_no_right(void **state)
{
    static const enum verb free_verbs[] = {VERB_CHAN_DROP,  VERB_SEND,      VERB_RECV,    VERB_CLOSE,
                                           VERB_SELECT,     VERB_OP_STATUS, VERB_PING,    VERB_CALLERS,
                                           VERB_DUMPED,     VERB_RESERVE,   VERB_STARTED, VERB_DONE,
                                           VERB_PRINT,      VERB_PROGRESS,  VERB_UNLOCK,  VERB_WORK_EXTEND,
                                           VERB_WORK_WATCH, VERB_TRANSACT,  VERB_SETTLE};
    struct right_want wants[RIGHT_WANTS_MAX];

#define VERB_IS_FREE(NAME, name_, number, flags, help)                                                       \
    {                                                                                                        \
        struct request request = {.verb = VERB_##NAME};                                                      \
        bool is_free = false, by_number = false;                                                             \
        for (size_t i = 0; i < sizeof(free_verbs) / sizeof(*free_verbs); i++)                                \
            is_free |= free_verbs[i] == VERB_##NAME;                                                         \
        by_number = VERB_##NAME == VERB_CHAN_OPEN || VERB_##NAME == VERB_CHAN_INFO ||                        \
                    VERB_##NAME == VERB_COND_WAIT ||                                                         \
                    (VERB_##NAME >= VERB_CTX_NEW && VERB_##NAME <= VERB_CTX_WATCH);                          \
        if ((rights_wanted(&request, false, wants) == 0) != (is_free || by_number))                          \
            fail_msg(#NAME " without a name needs %s", is_free || by_number ? "something" : "nothing");      \
    }
    VERBS(VERB_IS_FREE)
#undef VERB_IS_FREE
}

/* Else who may only subscribe could have the daemon publish. */
static void test_IP16_1_dead_letters_need_the_right_to_publish_there(void **state)
{
    struct right_want wants[RIGHT_WANTS_MAX];
    struct request r = {.verb = VERB_SUBSCRIBE, .subscribe = {.pattern = BYTES("a.*"), .group = BYTES("g")}};

    assert_int_equal(rights_wanted(&r, false, wants), 1);
    assert_int_equal(wants[0].groups, GROUP_SUBSCRIBE);
    assert_int_equal(wants[0].name.size, 2);
    r.subscribe.settings = BYTES("dead=x tries=2 dead=dead.b");
    assert_int_equal(rights_wanted(&r, false, wants), 2);
    assert_int_equal(wants[1].groups, GROUP_PUBLISH);
    assert_memory_equal(wants[1].name.data, "dead.b", wants[1].name.size);
    r = (struct request){.verb = VERB_GROUP_SET, .group_set = {BYTES("g"), BYTES("dead=b")}};
    assert_int_equal(rights_wanted(&r, false, wants), 2);
    assert_int_equal(wants[0].groups, GROUP_TOPIC);
    assert_int_equal(wants[1].groups, GROUP_PUBLISH);
    r.group_set.settings = BYTES("dead=b dead=");
    assert_int_equal(rights_wanted(&r, false, wants), 1);
}

static void test_IP17_6_a_feed_needs_what_it_names(void **state)
{
    struct right_want wants[RIGHT_WANTS_MAX];
    struct request r = {.verb = VERB_FEED_SET,
                        .feed_set = {.pattern = BYTES("a.*"), .function = BYTES("f"), .plugin = BYTES("/p")}};

    assert_int_equal(rights_wanted(&r, false, wants), 3);
    assert_int_equal(wants[0].groups, GROUP_SUBSCRIBE);
    assert_int_equal(wants[0].name.size, 2);
    assert_int_equal(wants[1].groups, GROUP_SUBMIT);
    assert_memory_equal(wants[1].name.data, "default", 7);
    assert_memory_equal(wants[2].name.data, "/p", 2);
    assert_int_equal(rights_wanted(&r, true, wants), 2); /* its queue stays, whichever that is */
    assert_memory_equal(wants[1].name.data, "/p", 2);
    r.feed_set.queue = BYTES("q");
    assert_int_equal(rights_wanted(&r, true, wants), 3);
    assert_memory_equal(wants[1].name.data, "q", 1);
    r.feed_set = (struct request_feed_set){.queue = BYTES("q")};
    assert_int_equal(rights_wanted(&r, false, wants), 1);
    assert_int_equal(wants[0].groups, GROUP_SUBMIT);
    r.feed_set = (struct request_feed_set){.name = BYTES("mail")};
    assert_int_equal(rights_wanted(&r, false, wants), 1);
    assert_true(wants[0].groups == GROUP_SUBSCRIBE && wants[0].anywhere);
}

static void test_an_open_needs_what_it_asks_for(void **state)
{
    struct right_want wants[RIGHT_WANTS_MAX];
    struct request r = {.verb = VERB_CHAN_OPEN, .chan_open = {.name = BYTES("x"), .rights = RIGHT_RECV}};

    assert_int_equal(rights_wanted(&r, true, wants), 1);
    assert_int_equal(wants[0].groups, GROUP_RECV);
    r.chan_open.rights = RIGHT_SEND | RIGHT_CLOSE;
    assert_int_equal(rights_wanted(&r, true, wants), 2);
    assert_int_equal(wants[0].groups, GROUP_SEND);
    assert_int_equal(wants[1].groups, GROUP_CLOSE);
    r.chan_open.rights = 0;
    assert_int_equal(rights_wanted(&r, true, wants), 1);
    assert_int_equal(wants[0].groups, GROUP_SEND | GROUP_RECV | GROUP_CLOSE);
    r.chan_open.flags = OPEN_CREATE;
    assert_int_equal(rights_wanted(&r, true, wants), 1);
    assert_int_equal(wants[0].groups, GROUP_SEND | GROUP_RECV | GROUP_CLOSE);
    assert_int_equal(rights_wanted(&r, false, wants), 1);
    assert_int_equal(wants[0].groups, GROUP_MAKE);
    r.chan_open.rights = RIGHT_ALL;
    assert_int_equal(rights_wanted(&r, false, wants), 4);
    r.chan_open.name = (struct bytes){0};
    assert_int_equal(rights_wanted(&r, false, wants), 0);
}

/* ---- rows ---- */

static void test_without_a_table_everybody_may_everything(void **state)
{
    struct right_want anywhere = {.groups = GROUP_ADMIN, .anywhere = true};

    assert_true(let(1000, GROUP_MAKE, BYTES("x")));
    assert_true(rights_let(NULL, ACCOUNT_UNKNOWN, &anywhere));
}

static void test_an_empty_table_lets_nobody(void **state)
{
    assert_int_equal(read_rights("# nobody\n\n"), 0);
    assert_false(let(1000, GROUPS_ALL, BYTES("x")));
    assert_false(rights_let(rights, 1000, &(struct right_want){.groups = GROUP_INSPECT, .anywhere = true}));
}

static void test_a_row_lets_its_groups_for_its_prefix(void **state)
{
    assert_int_equal(read_rights("uid:1000 send,recv orders.\n"), 0);
    assert_true(let(1000, GROUP_SEND, BYTES("orders.new")));
    assert_true(let(1000, GROUP_RECV, BYTES("orders.")));
    assert_true(let(1000, GROUP_CLOSE | GROUP_RECV, BYTES("orders.x")));
    assert_false(let(1000, GROUP_CLOSE, BYTES("orders.new")));
    assert_false(let(1000, GROUP_SEND, BYTES("orders")));
    assert_false(let(1000, GROUP_SEND, BYTES("order.new")));
    assert_false(let(1000, GROUP_SEND, BYTES("")));
    assert_false(let(1001, GROUP_SEND, BYTES("orders.new")));
}

static void test_rows_add_up(void **state)
{
    assert_int_equal(read_rights("* inspect *\nuid:7 send a.\nuid:7 recv b.\nkey:mailer all mail.\n"), 0);
    assert_true(let(7, GROUP_INSPECT, BYTES("any.thing")));
    assert_true(let(7, GROUP_INSPECT, BYTES("")));
    assert_true(let(7, GROUP_SEND, BYTES("a.x")) && let(7, GROUP_RECV, BYTES("b.x")));
    assert_false(let(7, GROUP_SEND, BYTES("b.x")));
    assert_true(let(key_account("mailer"), GROUP_LOCK, BYTES("mail.queue")));
    assert_true(let(key_account("mailer"), GROUP_INSPECT, BYTES("a")));
    assert_false(let(key_account("mailer2"), GROUP_LOCK, BYTES("mail.queue")));
}

static void test_anywhere_is_any_name(void **state)
{
    struct right_want want = {.groups = GROUP_INSPECT, .anywhere = true};

    assert_int_equal(read_rights("uid:7 inspect a.\n"), 0);
    assert_true(rights_let(rights, 7, &want));
    want.groups = GROUP_SUBMIT;
    assert_false(rights_let(rights, 7, &want));
}

static void test_a_function_is_named_by_path_and_function(void **state)
{
    struct right_want want = {
        .groups = GROUP_SUBMIT, .name = BYTES("/usr/lib/mail.so"), .rest = BYTES("send")};

    assert_int_equal(read_rights("uid:7 submit /usr/lib/mail.so:send\n"), 0);
    assert_true(rights_let(rights, 7, &want));
    want.rest = BYTES("sendmail");
    assert_true(rights_let(rights, 7, &want));
    want.rest = BYTES("drop");
    assert_false(rights_let(rights, 7, &want));
    want.rest = BYTES("sen");
    assert_false(rights_let(rights, 7, &want));
    assert_int_equal(read_rights("uid:7 submit /usr/lib/mail.so:\n"), 0);
    assert_true(rights_let(rights, 7, &want));
    want.name = BYTES("/usr/lib/mail.sock");
    assert_false(rights_let(rights, 7, &want));
    assert_int_equal(read_rights("uid:7 submit /usr/lib/\n"), 0);
    assert_true(rights_let(rights, 7, &want));
}

static void test_an_open_for_all_gets_what_there_is(void **state)
{
    assert_int_equal(read_rights("uid:7 recv a.\nuid:7 make b.\n"), 0);
    assert_int_equal(rights_of_channel(rights, 7, BYTES("a.x"), 0), RIGHT_RECV);
    assert_int_equal(rights_of_channel(rights, 7, BYTES("a.x"), RIGHT_RECV | RIGHT_SEND), RIGHT_RECV);
    assert_int_equal(rights_of_channel(rights, 7, BYTES("b.x"), 0), 0);
    assert_int_equal(rights_of_channel(rights, 7, BYTES(""), 0), RIGHT_ALL);
    assert_int_equal(rights_of_channel(NULL, 7, BYTES("b.x"), RIGHT_SEND), RIGHT_SEND);
}

/* ---- the file ---- */

static void test_a_wrong_row_is_told_with_file_line_and_value(void **state)
{
    refuse("uid:7 send\n", "rights:1: a row is WHO VERBS PREFIX");
    refuse("\nuid:7 send a. b.\n", "rights:2: a row is WHO VERBS PREFIX");
    refuse("7 send a.\n", "rights:1: '7' is nobody: write uid:NUMBER, key:NAME, or *");
    refuse("uid:-1 send a.\n", "'uid:-1' is nobody");
    refuse("uid: send a.\n", "'uid:' is nobody");
    refuse("uid:2147483648 send a.\n", "'uid:2147483648' is nobody");
    refuse("uid:7x send a.\n", "'uid:7x' is nobody");
    refuse("key:a/b send a.\n", "'key:a/b' is nobody");
    refuse("uid:7 send,reed a.\n",
           "'reed' is no group of verbs: write all, or with commas between them send or recv");
    refuse("uid:7 , a.\n", "'' is no group of verbs");
    refuse("uid:7 send a.*\n", "'a.*' is a pattern: write what the names begin with");
    assert_int_equal(
        read_rights(
            "uid:7 "
            "send,recv,close,make,lock,context,submit,schedule,work,publish,subscribe,topic,inspect,admin "
            "*\n"),
        0);
    assert_int_equal(rights->rows[0].groups, GROUPS_ALL);
}

static void test_a_table_has_an_end(void **state)
{
    const char *const words[] = {"*", "send", "a."};

    assert_int_equal(read_rights(""), 0);
    for (int i = 0; i < RIGHT_ROWS_MAX; i++)
        assert_int_equal(rights_add(rights, words, &why), 0);
    assert_int_equal(rights_add(rights, words, &why), -EINVAL);
    assert_non_null(strstr(why, "more than 4096 rows"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_every_verb_has_its_row),
        TEST(test_only_these_verbs_need_no_right),
        TEST(test_IP16_1_dead_letters_need_the_right_to_publish_there),
        cmocka_unit_test(test_IP17_6_a_feed_needs_what_it_names),
        TEST(test_an_open_needs_what_it_asks_for),
        TEST(test_without_a_table_everybody_may_everything),
        TEST(test_an_empty_table_lets_nobody),
        TEST(test_a_row_lets_its_groups_for_its_prefix),
        TEST(test_rows_add_up),
        TEST(test_anywhere_is_any_name),
        TEST(test_a_function_is_named_by_path_and_function),
        TEST(test_an_open_for_all_gets_what_there_is),
        TEST(test_a_wrong_row_is_told_with_file_line_and_value),
        TEST(test_a_table_has_an_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
