/* What is told of waits in other processes, by a real daemon: dumps, proofs of deadlock, leaks (Z4, Z5, IP9). */
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "client_fixture.h"
#include "goclient_inspect.h"

static int start_node(void **state)
{
    *state = node_start();
    return 0;
}

static int stop_node(void **state)
{
    *state = node_delete(*state);
    return 0;
}

/* ---- three processes in a circle: a waits for b's value, b for c's, c for a's lock ---- */

static gc_chan with_rights(gc_client *g, const char *name, unsigned rights)
{
    struct gc_chan_options options = {.size = sizeof options, .flags = GC_CREATE, .rights = rights};
    gc_chan c;

    assert_ok(gc_open(g, name, &options, &c, GC_FOREVER));
    return c;
}

static gc_client *one_caller(const struct node *node)
{
    gc_client *g = node_connect(node);

    assert_ok(gc_callers(g, 1, GC_FOREVER));
    return g;
}

static void meet(int to, int from)
{
    peer_say(to, 'r');
    peer_hear(from, 'g');
}

static int hold_and_receive(const struct node *node, int to, int from)
{
    gc_client *g = one_caller(node);
    gc_chan x = with_rights(g, "ring.x", GC_MAY_RECV);
    struct gc_value v;
    uint64_t token;

    assert_ok(gc_lock(g, "ring.m", &token, 0, GC_FOREVER));
    meet(to, from);
    return gc_recv(g, x, &v, 0, GC_FOREVER);
}

static int receive_and_send(const struct node *node, int to, int from)
{
    gc_client *g = one_caller(node);
    gc_chan x = with_rights(g, "ring.x", GC_MAY_SEND), y = with_rights(g, "ring.y", GC_MAY_RECV);
    struct gc_value v;

    meet(to, from);
    gc_recv(g, y, &v, 0, GC_FOREVER);
    return gc_send(g, x, v, GC_FOREVER); /* nobody receives any more */
}

static int lock_and_send(const struct node *node, int to, int from)
{
    gc_client *g = one_caller(node);
    gc_chan y = with_rights(g, "ring.y", GC_MAY_SEND);
    uint64_t token;

    meet(to, from);
    if (gc_lock(g, "ring.m", &token, 0, GC_FOREVER) != GC_OWNER_DIED)
        return 1;
    int r = gc_send(g, y, gc_string("v"), GC_FOREVER);
    gc_disconnect(g);
    return r;
}

static size_t proven(gc_client *g, struct gc_parked_page *page)
{
    gc_parked_page_clear(page);
    assert_true(gc_deadlocks(g, 0, page, GC_FOREVER) >= 0);
    return page->n;
}

/* NULL: there is none. */
static const struct gc_parked *find_row(const struct gc_parked_page *page, const struct peer *peer)
{
    for (size_t i = 0; i < page->n; i++)
        if (page->items[i].pid == peer->pid)
            return &page->items[i];
    return NULL;
}

static const struct gc_parked *row_of(const struct gc_parked_page *page, const struct peer *peer)
{
    const struct gc_parked *row = find_row(page, peer);

    assert_non_null(row);
    return row;
}

/* What goctl says of it, one line a row. */
static void goctl_says(const struct node *node, const char *words)
{
    char command[512], line[512];
    bool said = false;

    snprintf(command, sizeof command, "%s deadlocks --endpoint %s", getenv("GOCTL"), node->endpoint);
    FILE *out = popen(command, "r");
    assert_non_null(out);
    while (fgets(line, sizeof line, out))
        said = said || strstr(line, words);
    assert_int_equal(pclose(out), 0);
    assert_true(said);
}

static void test_Z5_a_circle_of_three_processes_is_proven_and_ends_with_a_death(void **state)
{
    struct node *node = *state;
    struct peer a = peer_start(node, hold_and_receive), b = peer_start(node, receive_and_send),
                c = peer_start(node, lock_and_send), *all[] = {&a, &b, &c};
    struct gc_parked_page page = {.n = 0};
    char words[64];

    for (int i = 0; i < 3; i++)
        peer_hear(all[i]->from, 'r');
    gc_client *g = node_connect(node);
    assert_int_equal(proven(g, &page), 0);
    for (int i = 0; i < 3; i++)
        peer_say(all[i]->to, 'g');
    while (proven(g, &page) == 0)
        ;
    assert_int_equal(page.n, 3);
    assert_string_equal(row_of(&page, &a)->object, "ring.x");
    assert_string_equal(row_of(&page, &b)->object, "ring.y");
    assert_string_equal(row_of(&page, &c)->object, "ring.m");
    assert_string_equal(row_of(&page, &c)->verb, "lock");
    assert_true(row_of(&page, &c)->holder == row_of(&page, &a)->session);
    assert_true(row_of(&page, &a)->holder == 0);
    for (int i = 0; i < 3; i++)
        assert_true(row_of(&page, all[i])->flags == (GC_PROVEN | GC_NAMED));
    goctl_says(node, "proven: 3 operations wait for each other; only somebody new");
    snprintf(words, sizeof words, "lock ring.m (session %lu has it)", row_of(&page, &a)->session);
    goctl_says(node, words);
    kill(a.pid, SIGKILL);
    assert_int_equal(peer_wait(&a), 128 + SIGKILL);
    assert_int_equal(peer_wait(&c), 0);
    kill(b.pid, SIGKILL);
    peer_wait(&b);
    while (proven(g, &page) > 0) /* its end is on its way; its send waited for nobody */
        ;
    gc_parked_page_clear(&page);
    gc_disconnect(g);
}

/* ---- dumps and leaks ---- */

static int receive_alone(const struct node *node, int to, int from)
{
    gc_client *g = one_caller(node);
    gc_chan x = with_rights(g, "alone", 0);
    struct gc_value v;

    assert_ok(gc_unlink(g, "alone", GC_FOREVER));
    meet(to, from);
    return gc_recv(g, x, &v, 0, GC_FOREVER);
}

static void test_Z4_a_receive_that_nobody_can_end_is_a_proven_leak(void **state)
{
    struct node *node = *state;
    struct peer peer = peer_start(node, receive_alone);
    struct gc_parked_page page = {.n = 0};

    peer_hear(peer.from, 'r');
    gc_client *g = node_connect(node);
    peer_say(peer.to, 'g');
    do {
        gc_parked_page_clear(&page);
        assert_true(gc_leaks(g, INT64_MAX, 0, &page, GC_FOREVER) >= 0);
    } while (!find_row(&page, &peer));
    assert_int_equal(row_of(&page, &peer)->flags, GC_PROVEN | GC_ALONE);
    assert_string_equal(row_of(&page, &peer)->object, "alone (unlinked)");
    gc_parked_page_clear(&page);
    kill(peer.pid, SIGKILL);
    peer_wait(&peer);
    gc_disconnect(g);
}

static int receive_by_name(const struct node *node, int to, int from)
{
    gc_client *g = node_connect(node);
    gc_chan c = make(g, "seen", 0);
    struct gc_value v;

    meet(to, from);
    int r = gc_recv(g, c, &v, 0, gc_after_ms(3600000));
    gc_disconnect(g); /* the acknowledgement has left */
    return r == 1 ? 0 : 1;
}

static void test_IP9_a_dump_tells_of_waits_in_other_processes(void **state)
{
    struct node *node = *state;
    struct peer peer = peer_start(node, receive_by_name);
    struct gc_parked_filter filter = {.size = sizeof filter, .object = "seen"};
    struct gc_parked_page page;

    peer_hear(peer.from, 'r');
    gc_client *g = node_connect(node);
    gc_chan seen = make(g, "seen", 0);
    peer_say(peer.to, 'g');
    wait_parked(g, seen, 0, 1);
    assert_int_equal(gc_parked(g, &filter, &page, GC_FOREVER), 1);
    assert_false(page.more);
    assert_int_equal(page.items[0].pid, peer.pid);
    assert_int_equal(page.items[0].uid, getuid());
    assert_string_equal(page.items[0].verb, "recv");
    assert_string_equal(page.items[0].reason, "channel receive");
    assert_string_equal(page.items[0].kind, "channel");
    assert_string_equal(page.items[0].program, "test_client_inspect");
    assert_true(page.items[0].left_ns > 0);
    gc_parked_page_clear(&page);
    filter.session = 999999;
    assert_int_equal(gc_parked(g, &filter, &page, GC_FOREVER), 0);
    gc_parked_page_clear(&page);
    assert_ok(gc_send(g, seen, gc_string("v"), GC_FOREVER));
    assert_int_equal(peer_wait(&peer), 0);
    gc_disconnect(g);
}

static void test_a_filter_without_size_or_with_a_bad_name_is_refused(void **state)
{
    gc_client *g = node_connect(*state);
    struct gc_parked_filter none = {.size = 0}, bad = {.size = sizeof bad, .object = "a b"};
    struct gc_parked_page page;

    assert_fails(gc_parked(g, &none, &page, GC_FOREVER), -EINVAL);
    assert_fails(gc_parked(g, &bad, &page, GC_FOREVER), -EINVAL);
    gc_disconnect(g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_Z5_a_circle_of_three_processes_is_proven_and_ends_with_a_death),
        cmocka_unit_test(test_Z4_a_receive_that_nobody_can_end_is_a_proven_leak),
        cmocka_unit_test(test_IP9_a_dump_tells_of_waits_in_other_processes),
        cmocka_unit_test(test_a_filter_without_size_or_with_a_bad_name_is_refused),
    };
    return cmocka_run_group_tests(tests, start_node, stop_node);
}
