/* The local endpoint: the kernel's word for who connects decides what he may do. Root alone can be several users. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "endpoint.h"
#include "raw.h"

#define NAME(text) ((struct bytes){(text), sizeof(text) - 1})

enum { LET = 1234, NOT_LET = 1235 };
#define OF_KEYS 0x80000001u

static struct node node;
static struct raw raw;
static uint64_t op;

static int set_up(void **state)
{
    static const char rights[] = "uid:1234 make,send u.\nuid:1234 lock u.\n";
    char file[160];

    node_make(&node);
    assert_int_equal(chmod(node.directory, 0711), 0);
    snprintf(file, sizeof(file), "%s/rights", node.directory);
    int fd = open(file, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_int_equal(write(fd, rights, sizeof(rights) - 1), sizeof(rights) - 1);
    close(fd);
    node_start(&node, (char *[]){"--socket-mode", "0666", "--rights-file", file, NULL});
    return 0;
}

static int tear_down(void **state)
{
    node_stop(&node);
    node_remove(&node);
    return 0;
}

/* Runs `fn` as that user; a check that fails there fails this test. */
static void as_user(uid_t uid, void (*fn)(void))
{
    int status = -1;

    if (geteuid() != 0)
        skip();
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (!pid) {
        setenv("CMOCKA_TEST_ABORT", "1", 1); /* and does not go on with the tests */
        assert_int_equal(setresgid(uid, uid, uid), 0);
        assert_int_equal(setresuid(uid, uid, uid), 0);
        fn();
        _exit(0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

static void expect(int32_t status, struct request request, const char *words)
{
    request.id = ++op;
    raw_ask(&raw, request);
    const struct result *result = raw_result(&raw);
    assert_int_equal(result->status, status);
    if (words)
        assert_non_null(memmem(result->text.data, result->text.size, words, strlen(words)));
}

static struct request open_of(struct bytes name)
{
    return (struct request){.verb = VERB_CHAN_OPEN, .chan_open = {.name = name, .flags = OPEN_CREATE}};
}

static void use_what_is_let(void)
{
    raw_open(&raw, &node);
    expect(0, open_of(NAME("u.mine")), NULL);
    expect(0, (struct request){.verb = VERB_LOCK, .lock.name = NAME("u.lock")}, NULL);
    expect(-EPERM, open_of(NAME("v.theirs")),
           "uid:1234 may not chan_open v.theirs: rights_file gives it no make");
    expect(-EPERM, (struct request){.verb = VERB_STATS},
           "uid:1234 may not stats : rights_file gives it no inspect");
    raw_close(&raw);
}

static void test_a_user_may_what_his_rows_let(void **state)
{
    as_user(LET, use_what_is_let);
}

static void use_nothing(void)
{
    raw_open(&raw, &node);
    expect(0, (struct request){.verb = VERB_PING}, NULL);
    expect(-EPERM, open_of(NAME("u.mine")), "uid:1235 may not chan_open u.mine");
    expect(-EPERM, (struct request){.verb = VERB_LOCK, .lock.name = NAME("u.lock")},
           "uid:1235 may not lock u.lock");
    expect(0, open_of(NAME("")), NULL);
    raw_close(&raw);
}

static void test_a_user_without_a_row_may_nothing_that_has_a_name(void **state)
{
    as_user(NOT_LET, use_nothing);
}

static void be_turned_away(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct farewell farewell;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    memcpy(address.sun_path, node.lifeline, strlen(node.lifeline));
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(recv(fd, &farewell, sizeof(farewell), MSG_WAITALL), sizeof(farewell));
    assert_int_equal(farewell.magic, FAREWELL_MAGIC);
    assert_int_equal(farewell.error, -EPERM);
    assert_non_null(memmem(farewell.text, farewell.text_bytes, "are those of keys", 17));
    close(fd);
}

/* Else he would be charged for what a key does, and have its rights. */
static void test_a_user_with_the_number_of_a_key_is_turned_away(void **state)
{
    as_user(OF_KEYS, be_turned_away);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_user_may_what_his_rows_let),
        cmocka_unit_test(test_a_user_without_a_row_may_nothing_that_has_a_name),
        cmocka_unit_test(test_a_user_with_the_number_of_a_key_is_turned_away),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
