/* A host whose daemon dies at any moment of their meeting fails to connect; it never waits for nobody. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/socket.h>
#include <unistd.h>

#include "endpoint.h"
#include "goclient_host.h"

/* The daemon's end says `bytes` of its greeting and is gone. */
static int connect_after(size_t bytes)
{
    struct greeting greeting = {.magic = GREETING_MAGIC, .version = PROTOCOL_VERSION, .session = {{1}}};
    struct gc_host_options options = {.size = sizeof options, .endpoint = "ipc:///nonexistent/socket"};
    char why[GC_WHY_BYTES];
    gc_client *g;
    int pair[2], r;

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    if (bytes > 0)
        assert_int_equal(write(pair[0], &greeting, bytes), bytes);
    close(pair[0]);
    options.lifeline = pair[1];
    r = gc_connect_host(&options, &g, why);
    assert_null(g);
    return r;
}

static void test_a_lifeline_that_ends_before_its_greeting_is_a_failure(void **state)
{
    (void)state;
    assert_true(connect_after(0) < 0);
}

static void test_a_lifeline_that_ends_within_its_greeting_is_a_failure(void **state)
{
    (void)state;
    assert_true(connect_after(sizeof(struct greeting) / 2) < 0);
}

static void test_a_lifeline_that_ends_after_its_greeting_is_a_failure(void **state)
{
    (void)state;
    assert_true(connect_after(sizeof(struct greeting)) < 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_lifeline_that_ends_before_its_greeting_is_a_failure),
        cmocka_unit_test(test_a_lifeline_that_ends_within_its_greeting_is_a_failure),
        cmocka_unit_test(test_a_lifeline_that_ends_after_its_greeting_is_a_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
