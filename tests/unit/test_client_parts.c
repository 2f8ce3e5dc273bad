/* The small parts of the client: endpoints, option structs, requests and results that own their bytes, words. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "address.h"
#include "goclient.h"
#include "options.h"
#include "path.h"
#include "request.h"
#include "result.h"

/* ---- endpoints ---- */

static void test_endpoint_given_wins_over_all(void **state)
{
    char out[ADDRESS_BYTES];
    const char *from;
    setenv("GOROUTINED_ENDPOINT", "ipc:///variable", 1);
    assert_int_equal(address_resolve("tcp://host:1", out, &from), 0);
    assert_string_equal(out, "tcp://host:1");
    assert_false(address_is_local(out));
}

static void test_endpoint_is_the_variable_then_the_users_then_the_services(void **state)
{
    char out[ADDRESS_BYTES];
    const char *from;
    setenv("GOROUTINED_ENDPOINT", "ipc:///variable", 1);
    setenv("XDG_RUNTIME_DIR", "/run/user/7", 1);
    assert_int_equal(address_resolve(NULL, out, &from), 0);
    assert_string_equal(out, "ipc:///variable");
    unsetenv("GOROUTINED_ENDPOINT");
    assert_int_equal(address_resolve(NULL, out, &from), 0);
    assert_string_equal(out, "ipc:///run/user/7/goroutined/socket");
    unsetenv("XDG_RUNTIME_DIR");
    assert_int_equal(address_resolve(NULL, out, &from), 0);
    assert_string_equal(out, "ipc:///run/goroutined/socket");
    assert_true(address_is_local(out));
}

static void test_endpoint_of_another_kind_is_refused(void **state)
{
    char out[ADDRESS_BYTES], large[ADDRESS_BYTES + 8] = "ipc://";
    const char *from;
    memset(large + 6, 'x', ADDRESS_BYTES);
    assert_int_equal(address_resolve("inproc://x", out, &from), -EINVAL);
    assert_int_equal(address_resolve("", out, &from), -EINVAL);
    assert_int_equal(address_resolve("ipc://", out, &from), -EINVAL);
    assert_int_equal(address_resolve(large, out, &from), -ENAMETOOLONG);
}

static void test_lifeline_lies_beside_the_socket(void **state)
{
    char out[ADDRESS_BYTES], large[200] = "ipc:///";
    assert_int_equal(address_lifeline("ipc:///run/x/socket", out, sizeof out), 0);
    assert_string_equal(out, "/run/x/socket.life");
    memset(large + 7, 'x', 120); /* more than a socket address holds */
    assert_int_equal(address_lifeline(large, out, sizeof out), -ENAMETOOLONG);
}

/* ---- options ---- */

struct old_options {
    size_t size;
    int a;
};

struct new_options {
    size_t size;
    int a, b;
};

static void test_shorter_struct_of_an_older_program_is_filled_with_zeros(void **state)
{
    struct old_options old = {sizeof old, 5};
    struct new_options out = {0, 9, 9};
    old.size = offsetof(struct new_options, b);
    assert_int_equal(options_take(&out, sizeof out, &old), 0);
    assert_int_equal(out.a, 5);
    assert_int_equal(out.b, 0);
}

static void test_longer_struct_is_taken_only_if_it_asks_for_nothing_new(void **state)
{
    struct {
        struct new_options known;
        int64_t unknown;
    } given = {{sizeof given, 1, 2}, 0};
    struct new_options out;
    assert_int_equal(options_take(&out, sizeof out, &given), 0);
    assert_int_equal(out.b, 2);
    given.unknown = 1;
    assert_int_equal(options_take(&out, sizeof out, &given), -EINVAL);
}

static void test_struct_without_size_is_refused(void **state)
{
    struct {
        struct new_options known;
        int64_t unknown;
    } given = {{0, 1, 2}, 3};
    struct new_options out;
    assert_int_equal(options_take(&out, sizeof out, &given), -EINVAL);
    assert_int_equal(options_take(&out, sizeof out, NULL), 0);
    assert_int_equal(out.a, 0);
}

/* ---- requests and results ---- */

static void test_U4_request_keeps_its_own_bytes(void **state)
{
    char first[] = "first", second[] = "second";
    struct value values[] = {{.body = {first, 5}}, {.body = {second, 6}}, {.body = {NULL, 0}}};
    struct request from = {.verb = VERB_SEND, .send = {7, values, 3}}, to;
    void *memory = malloc(request_size(&from));
    request_copy(&to, &from, memory);
    memset(first, 'x', 5);
    memset(values, 0, sizeof values);
    assert_int_equal(to.send.values_n, 3);
    assert_memory_equal(to.send.values[0].body.data, "first", 5);
    assert_memory_equal(to.send.values[1].body.data, "second", 6);
    assert_int_equal(to.send.values[2].body.size, 0);
    assert_int_equal(request_charge(&to), 11);
    free(memory);
}

/* Every verb's bytes are in the table: a copy may not point at what was given. */
static void test_every_string_of_a_request_is_copied(void **state)
{
    char text[] = "text";
    struct bytes bytes = {text, 4};
    struct request from = {.verb = VERB_SUBMIT,
                           .submit = {.plugin = bytes,
                                      .function = bytes,
                                      .argument = bytes,
                                      .queue = bytes,
                                      .key = bytes}},
                   to;
    void *memory = malloc(request_size(&from));
    request_copy(&to, &from, memory);
    memset(text, 'x', 4);
    const struct bytes *copies[] = {&to.submit.plugin, &to.submit.function, &to.submit.argument,
                                    &to.submit.queue, &to.submit.key};
    for (size_t i = 0; i < sizeof copies / sizeof *copies; i++)
        assert_memory_equal(copies[i]->data, "text", 4);
    free(memory);
}

static void test_a_publish_keeps_its_messages_with_keys_headers_and_ids(void **state)
{
    char text[] = "text";
    struct bytes bytes = {text, 4};
    struct header headers[] = {{bytes, bytes}, {bytes, {NULL, 0}}};
    struct outgoing messages[] = {{.value = {.body = bytes}},
                                  {.value = {.body = bytes}, .key = bytes, .once = bytes},
                                  {.value = {.body = bytes}, .headers = headers, .headers_n = 2}};
    struct request from = {.verb = VERB_PUBLISH,
                           .publish = {.topic = bytes, .messages = messages, .messages_n = 3}},
                   to;
    void *memory = malloc(request_size(&from));
    request_copy(&to, &from, memory);
    memset(text, 'x', 4);
    memset(messages, 0, sizeof messages);
    memset(headers, 0, sizeof headers);
    const struct outgoing *copy = to.publish.messages;
    const struct bytes *copies[] = {
        &to.publish.topic, &copy[0].value.body,      &copy[1].value.body,       &copy[1].key,
        &copy[1].once,     &copy[2].headers[0].name, &copy[2].headers[0].value, &copy[2].headers[1].name};
    for (size_t i = 0; i < sizeof copies / sizeof *copies; i++)
        assert_memory_equal(copies[i]->data, "text", 4);
    assert_int_equal(copy[0].headers_n + copy[0].key.size + copy[1].headers_n, 0);
    assert_int_equal(request_charge(&to), 9 * 4);
    free(memory);
}

static void test_a_transaction_keeps_what_it_publishes(void **state)
{
    char text[] = "text";
    struct bytes bytes = {text, 4};
    struct header header = {bytes, bytes};
    struct outgoing messages[] = {
        {.value = {.body = bytes}, .key = bytes, .headers = &header, .headers_n = 1},
        {.value = {.body = bytes}}};
    struct request_publish publishes[] = {{.topic = bytes, .messages = messages, .messages_n = 1},
                                          {.topic = bytes, .messages = &messages[1], .messages_n = 1}};
    struct request from = {.verb = VERB_TRANSACT,
                           .transact = {.result = bytes, .publishes = publishes, .publishes_n = 2}},
                   to;
    void *memory = malloc(request_size(&from));
    request_copy(&to, &from, memory);
    memset(text, 'x', 4);
    memset(publishes, 0, sizeof publishes);
    memset(messages, 0, sizeof messages);
    memset(&header, 0, sizeof header);
    const struct request_publish *copy = to.transact.publishes;
    const struct bytes *copies[] = {&to.transact.result,
                                    &copy[0].topic,
                                    &copy[0].messages->value.body,
                                    &copy[0].messages->key,
                                    &copy[0].messages->headers->name,
                                    &copy[0].messages->headers->value,
                                    &copy[1].topic,
                                    &copy[1].messages->value.body};
    for (size_t i = 0; i < sizeof copies / sizeof *copies; i++)
        assert_memory_equal(copies[i]->data, "text", 4);
    assert_int_equal(request_charge(&to), 8 * 4);
    free(memory);
}

static void test_a_received_message_keeps_its_own_bytes(void **state)
{
    char text[] = "text";
    struct bytes bytes = {text, 4};
    struct header header = {bytes, bytes};
    struct message message = {.topic = bytes, .lost = 3, .key = bytes, .headers = &header, .headers_n = 1};
    struct value values[] = {{.body = bytes}, {.body = bytes, .message = &message}};
    struct result from = {.values = values, .values_n = 2};
    struct result_block *block = result_clone(&from);
    memset(text, 'x', 4);
    memset(&message, 0, sizeof message);
    memset(&header, 0, sizeof header);
    const struct value *to = block->result.values;
    const struct bytes *copies[] = {&to[0].body,
                                    &to[1].body,
                                    &to[1].message->topic,
                                    &to[1].message->key,
                                    &to[1].message->headers->name,
                                    &to[1].message->headers->value};
    for (size_t i = 0; i < sizeof copies / sizeof *copies; i++)
        assert_string_equal(copies[i]->data, "text");
    assert_null(to[0].message);
    assert_int_equal(to[1].message->lost, 3);
    assert_int_equal((uintptr_t)to[1].message % _Alignof(max_align_t), 0);
    result_unref(block);
}

static void test_what_is_told_of_topics_and_groups_keeps_its_own_bytes(void **state)
{
    char text[] = "text";
    struct bytes bytes = {text, 4};
    struct counter settings[] = {{bytes, 1}, {bytes, 2}};
    struct published published = {.receivers = 5};
    struct topic_info topics[] = {{.name = bytes}, {.name = bytes, .settings = settings, .settings_n = 2}};
    struct group_info group = {.name = bytes, .pattern = bytes, .settings = settings, .settings_n = 1};
    struct result from = {
        .published = &published, .topics = topics, .topics_n = 2, .groups = &group, .groups_n = 1};
    struct result_block *block = result_clone(&from);
    const struct result *to = &block->result;
    memset(text, 'x', 4);
    memset(settings, 0, sizeof settings);
    memset(&published, 0, sizeof published);
    const struct bytes *copies[] = {&to->topics[0].name,
                                    &to->topics[1].name,
                                    &to->topics[1].settings[0].name,
                                    &to->groups[0].name,
                                    &to->groups[0].pattern,
                                    &to->topics[1].settings[1].name,
                                    &to->groups[0].settings[0].name};
    for (size_t i = 0; i < sizeof copies / sizeof *copies; i++)
        assert_string_equal(copies[i]->data, "text");
    assert_int_equal(to->topics[1].settings[1].value, 2);
    assert_int_equal(to->published->receivers, 5);
    result_unref(block);
}

static void test_result_keeps_its_own_bytes_each_with_an_end(void **state)
{
    char text[] = "text";
    struct bytes bytes = {text, 4};
    struct value value = {.body = bytes};
    struct chan_info chan = {.name = bytes};
    struct job_info job = {.plugin = bytes, .result = bytes, .argument = bytes};
    struct counter counter = {.name = bytes};
    struct offer offer = {.function = bytes};
    struct result from = {.text = bytes,
                          .values = &value,
                          .values_n = 1,
                          .chans = &chan,
                          .chans_n = 1,
                          .jobs = &job,
                          .jobs_n = 1,
                          .stats = &counter,
                          .stats_n = 1,
                          .offer = &offer};
    struct result_block *block = result_clone(&from);
    memset(text, 'x', 4);
    const struct result *to = &block->result;
    const struct bytes *copies[] = {&to->text,         &to->values->body,   &to->chans->name,
                                    &to->jobs->plugin, &to->jobs->result,   &to->jobs->argument,
                                    &to->stats->name,  &to->offer->function};
    for (size_t i = 0; i < sizeof copies / sizeof *copies; i++)
        assert_string_equal(copies[i]->data, "text");
    result_ref(block, 1);
    result_unref(block);
    result_unref(block);
}

static void test_IP4_ids_are_kept_where_there_is_no_memory_for_their_result(void **state)
{
    uint64_t ids[] = {7, 8, 9};
    struct result flat = {.op = 5, .status = 3}, from = {.status = 3, .ids = ids, .ids_n = 3};
    struct result_block *room = result_room(3), *small = result_room(2);
    result_keep_ids(room, &flat, &from);
    result_keep_ids(small, &flat, &from);
    memset(ids, 0, sizeof ids);
    assert_int_equal(room->result.op, 5);
    assert_int_equal(room->result.status, 3);
    assert_int_equal(room->result.ids_n, 3);
    assert_int_equal(room->result.ids[2], 9);
    assert_int_equal(small->result.ids_n, 2);
    result_unref(room);
    result_unref(small);
}

/* ---- names of files ---- */

/* A folder with a file, and links to both. */
static void make_files(char folder[])
{
    char text[64];
    int file;

    assert_non_null(mkdtemp(folder));
    assert_int_equal(chdir(folder), 0);
    assert_int_equal(mkdir("in", 0700), 0);
    file = open("in/file", O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    assert_true(file >= 0);
    close(file);
    snprintf(text, sizeof text, "%s/in", folder);
    assert_int_equal(symlink(text, "way"), 0);
    assert_int_equal(symlink("in/file", "link"), 0);
    assert_int_equal(symlink("nowhere", "loose"), 0);
}

static void remove_files(const char *folder)
{
    static const char *const names[] = {"way", "link", "loose", "in/file"};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        assert_int_equal(unlink(names[i]), 0);
    assert_int_equal(rmdir("in"), 0);
    assert_int_equal(chdir("/"), 0);
    assert_int_equal(rmdir(folder), 0);
}

static void check_path(const char *path)
{
    char ours[PATH_MAX], theirs[PATH_MAX];
    const char *wanted = realpath(path, theirs);
    int error = errno;
    const char *found = path_real(path, ours);

    if (wanted)
        assert_string_equal(found, wanted);
    else
        assert_null(found);
    if (!wanted)
        assert_int_equal(errno, error);
}

static void test_a_file_has_the_name_that_realpath_gives_it(void **state)
{
    static const char *const paths[] = {
        "in/file",  "./in/file",   "in//file", "in/../in/file", "in/./file", "way/file", "link", "loose",
        "in/file/", "in/file/../", "in",       "in/",           "in/none",   "none/in",  ".",    "in/.."};
    char folder[] = "/tmp/test_client_parts-XXXXXX", text[PATH_MAX];

    make_files(folder);
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        check_path(paths[i]);
        snprintf(text, sizeof text, "%s/%s", folder, paths[i]);
        check_path(text);
        snprintf(text, sizeof text, "/%s/%s", folder, paths[i]);
        check_path(text);
    }
    check_path("");
    check_path("/");
    check_path("//");
    check_path("/..");
    remove_files(folder);
}

/* ---- words ---- */

static void test_every_error_has_words_of_its_own(void **state)
{
    assert_string_equal(gc_strerror(-EPIPE), "the channel is closed");
    assert_string_equal(gc_strerror(EPIPE), "the channel is closed");
    assert_string_equal(gc_strerror(0), "success");
    assert_string_equal(gc_strerror(-123456), "unknown error");
    assert_string_equal(gc_job_state_name(GC_JOB_DEAD), "dead");
    assert_string_equal(gc_job_state_name((enum gc_job_state)99), "unknown");
    assert_string_equal(gc_cause_name(GC_CAUSE_TIMEOUT), "timeout");
}

static void test_T1_deadlines_saturate(void **state)
{
    assert_int_equal(gc_after_ms(INT64_MAX).ns, GC_FOREVER.ns);
    assert_true(gc_after_ms(1000).ns > gc_after_ms(1).ns);
    assert_true(gc_after_ms(-5).ns < gc_after_ms(1).ns);
    assert_true(gc_after_ms(0).ns != GC_NOW.ns);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_endpoint_given_wins_over_all),
        cmocka_unit_test(test_endpoint_is_the_variable_then_the_users_then_the_services),
        cmocka_unit_test(test_endpoint_of_another_kind_is_refused),
        cmocka_unit_test(test_lifeline_lies_beside_the_socket),
        cmocka_unit_test(test_shorter_struct_of_an_older_program_is_filled_with_zeros),
        cmocka_unit_test(test_longer_struct_is_taken_only_if_it_asks_for_nothing_new),
        cmocka_unit_test(test_struct_without_size_is_refused),
        cmocka_unit_test(test_U4_request_keeps_its_own_bytes),
        cmocka_unit_test(test_every_string_of_a_request_is_copied),
        cmocka_unit_test(test_a_publish_keeps_its_messages_with_keys_headers_and_ids),
        cmocka_unit_test(test_a_transaction_keeps_what_it_publishes),
        cmocka_unit_test(test_a_received_message_keeps_its_own_bytes),
        cmocka_unit_test(test_what_is_told_of_topics_and_groups_keeps_its_own_bytes),
        cmocka_unit_test(test_result_keeps_its_own_bytes_each_with_an_end),
        cmocka_unit_test(test_IP4_ids_are_kept_where_there_is_no_memory_for_their_result),
        cmocka_unit_test(test_a_file_has_the_name_that_realpath_gives_it),
        cmocka_unit_test(test_every_error_has_words_of_its_own),
        cmocka_unit_test(test_T1_deadlines_saturate),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
