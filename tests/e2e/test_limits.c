/* What a daemon says when there are too many of something. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "endpoint.h"
#include "raw.h"

enum { DESCRIPTORS = 48 };

static struct node node;

static int set_up(void **state)
{
    node_make(&node);
    return 0;
}

static int tear_down(void **state)
{
    node_remove(&node);
    return 0;
}

/* Connects a lifeline: 0 with its descriptor when it is greeted, or the error of the farewell. */
static int try_lifeline(int *fd)
{
    union {
        uint32_t magic;
        struct greeting greeting;
        struct farewell farewell;
    } said;
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    *fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    memcpy(address.sun_path, node.lifeline, strlen(node.lifeline));
    assert_int_equal(connect(*fd, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(recv(*fd, &said, sizeof(said.greeting), MSG_WAITALL), sizeof(said.greeting));
    if (said.magic == GREETING_MAGIC)
        return 0;
    size_t rest = sizeof(said.farewell) - sizeof(said.greeting);
    assert_int_equal(said.magic, FAREWELL_MAGIC);
    assert_int_equal(recv(*fd, (char *)&said + sizeof(said.greeting), rest, MSG_WAITALL), rest);
    close(*fd);
    return said.farewell.error;
}

static void test_sessions_beyond_the_limit_get_a_farewell(void **state)
{
    int first, second;

    node_start(&node, (char *[]){"--limit", "sessions_max=1", NULL});
    assert_int_equal(try_lifeline(&first), 0);
    assert_int_equal(try_lifeline(&second), -ENOBUFS);
    close(first);
    while (try_lifeline(&second))
        ; /* until the end of the first has been seen */
    close(second);
    node_stop(&node);
}

static void test_clients_beyond_the_descriptors_get_a_farewell(void **state)
{
    int fds[DESCRIPTORS], n = 0;
    struct raw raw;

    node.descriptors = DESCRIPTORS;
    node_start(&node, (char *[]){"--ephemeral", NULL});
    raw_open(&raw, &node);
    while (!try_lifeline(&fds[n]))
        assert_true(++n < DESCRIPTORS);
    assert_true(n > 0);
    raw_ask(&raw, (struct request){.id = 1, .verb = VERB_PING});
    assert_int_equal(raw_result(&raw)->status, 0); /* those inside go on */
    while (n)
        close(fds[--n]);
    while (try_lifeline(&fds[0]))
        ; /* there is room again */
    close(fds[0]);
    raw_close(&raw);
    node_stop(&node);
    assert_true(node_logged(&node, "event=no_descriptors"));
}

static void test_a_frame_of_too_many_operations_is_refused(void **state)
{
    struct request pings[3] = {
        {.id = 1, .verb = VERB_PING}, {.id = 2, .verb = VERB_PING}, {.id = 3, .verb = VERB_PING}};
    struct raw raw;

    node_start(&node, (char *[]){"--limit", "frame_ops_max=2", NULL});
    raw_open(&raw, &node);
    raw_send(&raw, (struct client_frame){.requests = pings, .requests_n = 3});
    assert_int_equal(raw_receive(&raw)->refused, -EBADMSG);
    raw_close(&raw);
    node_stop(&node);
}

static void test_settings_of_a_queue_have_an_end(void **state)
{
    char settings[SETTINGS_BYTES_MAX + 1];
    struct request set = {.verb = VERB_QUEUE_SET,
                          .queue_set = {{"default", 7}, {settings, SETTINGS_BYTES_MAX}}};
    struct raw raw;

    memset(settings, ' ', sizeof(settings));
    node_start(&node, (char *[]){"--ephemeral", NULL});
    raw_open(&raw, &node);
    for (size_t more = 0; more <= 1; more++) {
        set.id = more + 1;
        set.queue_set.settings.size += more;
        raw_ask(&raw, set);
        assert_int_equal(raw_result(&raw)->status, more ? -E2BIG : 0);
    }
    raw_close(&raw);
    node_stop(&node);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_sessions_beyond_the_limit_get_a_farewell),
        TEST(test_clients_beyond_the_descriptors_get_a_farewell),
        TEST(test_a_frame_of_too_many_operations_is_refused),
        TEST(test_settings_of_a_queue_have_an_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
