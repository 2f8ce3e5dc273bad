/*
 * A frame that gets no answer, and a client that does nothing else: it must look for the time. Whoever is here for the
 * daemon closes when it has read what proves that; without it these tests never end.
 */
#include <dirent.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "endpoint.h"
#include "goclient_host.h"
#include "wire.h"

/* Somebody who greets and hears. */
struct mute {
    char folder[64], path[96];
    int listener, fd;
    bool welcomes;
    unsigned frames, frames_wanted; /* read; after so many it closes */
    pthread_t thread;
};

static bool read_all(int fd, void *to, size_t size)
{
    return recv(fd, to, size, MSG_WAITALL) == (ssize_t)size;
}

static bool read_frame(int fd)
{
    uint32_t size;
    char bytes[4096];

    return read_all(fd, &size, sizeof(size)) && size <= sizeof(bytes) && read_all(fd, bytes, size);
}

static void say_welcome(int fd)
{
    static const struct wire_bounds bounds = WIRE_BOUNDS_DEFAULT;
    static const struct welcome welcome = {
        .session = {{7}}, .session_number = 1, .window_ops = 64, .window_bytes = 65536};
    struct wire *wire = wire_new(&bounds);
    struct wire_message message;
    uint8_t bytes[4096];

    wire_encode_server(wire, &(struct server_frame){.number = 1, .welcome = &welcome}, &message);
    uint32_t words[] = {(uint32_t)(message.head_bytes + sizeof(uint32_t)), 1};
    memcpy(bytes, words, sizeof(words));
    wire_pack(&message, bytes + sizeof(words));
    (void)!send(fd, bytes, sizeof(words) + message.head_bytes, MSG_NOSIGNAL);
    wire_delete(wire);
}

static void *be_mute(void *arg)
{
    struct mute *mute = arg;
    struct greeting greeting = {.magic = GREETING_MAGIC, .version = PROTOCOL_VERSION, .session = {{7}}};

    if (mute->fd < 0)
        mute->fd = accept(mute->listener, NULL, NULL);
    if (send(mute->fd, &greeting, sizeof(greeting), MSG_NOSIGNAL) == sizeof(greeting))
        while (mute->frames < mute->frames_wanted && read_frame(mute->fd))
            if (mute->frames++ == 0 && mute->welcomes)
                say_welcome(mute->fd);
    close(mute->fd);
    close(mute->listener);
    return NULL;
}

static void start(struct mute *mute)
{
    assert_int_equal(pthread_create(&mute->thread, NULL, be_mute, mute), 0);
}

static int set_up(void **state)
{
    static struct mute mute;
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    mute = (struct mute){.folder = "/tmp/mute-XXXXXX", .fd = -1, .frames_wanted = 2};
    assert_non_null(mkdtemp(mute.folder));
    snprintf(mute.path, sizeof(mute.path), "%s/socket" LIFELINE_SUFFIX, mute.folder);
    snprintf(address.sun_path, sizeof(address.sun_path), "%s", mute.path);
    mute.listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(mute.listener, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(listen(mute.listener, 1), 0);
    *state = &mute;
    return 0;
}

static int tear_down(void **state)
{
    struct mute *mute = *state;

    unlink(mute->path);
    return rmdir(mute->folder);
}

/* Its patience is an hour: only a HELLO that is said anew lets the other side close. */
static void test_IP0_hello_without_answer_is_said_again(void **state)
{
    struct mute *mute = *state;
    char endpoint[128], why[GC_WHY_BYTES];
    gc_client *g;

    start(mute);
    snprintf(endpoint, sizeof(endpoint), ENDPOINT_IPC "%s/socket", mute->folder);
    struct gc_options options = {.size = sizeof(options),
                                 .endpoint = endpoint,
                                 .answer_ms = 3600000,
                                 .reconnect_ms = 1,
                                 .lane = LANE_AUTO};
    assert_true(gc_connect(&options, &g, why) < 0);
    pthread_join(mute->thread, NULL);
    assert_int_equal(mute->frames, 2);
}

/* Whether all threads but the caller sleep. */
static bool others_sleep(void)
{
    char path[96], state = 0;
    bool asleep = true;
    DIR *threads = opendir("/proc/self/task");

    for (struct dirent *one; (one = readdir(threads));) {
        if (one->d_name[0] == '.' || atoi(one->d_name) == gettid())
            continue;
        snprintf(path, sizeof(path), "/proc/self/task/%.20s/stat", one->d_name);
        FILE *file = fopen(path, "re");
        asleep &= file && fscanf(file, "%*d (%*[^)]) %c", &state) == 1 && state == 'S';
        if (file)
            fclose(file);
    }
    closedir(threads);
    return asleep;
}

static void ignore(const struct gc_offer *offer, void *arg)
{
}

/* The service thread sleeps for ever when the operation is posted: afterwards it must not. */
static void test_IP7_posted_operation_without_answer_is_asked_after(void **state)
{
    struct mute *mute = *state;
    struct gc_waiting waiting = gc_waiting_threads;
    char endpoint[128], why[GC_WHY_BYTES];
    int pair[2];
    gc_client *g;

    waiting.leads = false;
    mute->welcomes = true;
    mute->frames_wanted = 3; /* HELLO, RESERVE, PING */
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    mute->fd = pair[0];
    start(mute);
    snprintf(endpoint, sizeof(endpoint), ENDPOINT_IPC "%s/socket", mute->folder);
    struct gc_host_options options = {.size = sizeof(options),
                                      .lifeline = pair[1],
                                      .endpoint = endpoint,
                                      .waiting = &waiting,
                                      .offer = ignore};
    assert_int_equal(gc_connect_host(&options, &g, why), 0);
    while (!others_sleep())
        ;
    assert_int_equal(gc_host_reserve(g, "generation", 1), 0);
    pthread_join(mute->thread, NULL);
    assert_int_equal(mute->frames, 3);
    gc_disconnect(g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_IP0_hello_without_answer_is_said_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_IP7_posted_operation_without_answer_is_asked_after, set_up,
                                        tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
