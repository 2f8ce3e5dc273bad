/* S14: whole programs neither lose a wake-up nor deadlock. A lost one shows as a test that never ends. */
#include "conform.h"

#include <errno.h>
#include <stdlib.h>

/* ---- the sieve: a chain of filters on rendezvous channels ---- */

struct filter {
    void *in, *out;
    uint64_t prime;
};

static void filter_run(void *arg)
{
    struct filter *filter = arg;
    uint64_t value;

    while (channels.recv(filter->in, &value, FOREVER) == 1)
        if (value % filter->prime && channels.send(filter->out, &value, FOREVER) != 0)
            break;
}

static void count_run(void *arg)
{
    void *out = arg;

    for (uint64_t value = 2;; value++)
        if (channels.send(out, &value, FOREVER) != 0)
            return;
}

static void test_S14_a_sieve_of_filters_finds_the_primes(void **state)
{
    static const uint64_t primes[] = {2, 3, 5, 7, 11, 13, 17, 19, 23, 29};
    enum { PRIMES = sizeof(primes) / sizeof(*primes) };
    struct filter filters[PRIMES];
    struct call *calls[PRIMES + 1];
    void *c = channels.make(0, 8);

    calls[PRIMES] = run_later(count_run, c);
    for (int i = 0; i < PRIMES; i++) {
        uint64_t prime = 0;
        assert_int_equal(channels.recv(c, &prime, FOREVER), 1);
        assert_int_equal(prime, primes[i]);
        filters[i] = (struct filter){.in = c, .out = channels.make(0, 8), .prime = prime};
        calls[i] = run_later(filter_run, &filters[i]);
        c = filters[i].out;
    }
    for (int i = 0; i < PRIMES; i++)
        channels.close(filters[i].in);
    channels.close(c);
    for (int i = 0; i <= PRIMES; i++)
        finish(calls[i], NULL);
    for (int i = 0; i < PRIMES; i++)
        channels.drop(filters[i].in);
    channels.drop(c);
}

/* ---- chaos: sends and receives, single and in selects, over a few channels ---- */

enum { CHAOS_CHANNELS = 4, CHAOS_PAIRS = 4 };

struct chaos {
    void *const *chan; /* CHAOS_CHANNELS */
    struct dice dice;
    int moves;
    bool sends, selects;
};

static void chaos_single(struct chaos *me)
{
    void *c = me->chan[dice_below(&me->dice, CHAOS_CHANNELS)];
    uint64_t value = 1;

    if (me->sends)
        assert_int_equal(channels.send(c, &value, FOREVER), 0);
    else
        assert_int_equal(channels.recv(c, &value, FOREVER), 1);
}

static void chaos_select(struct chaos *me)
{
    struct choice choices[CHAOS_CHANNELS];
    uint64_t value = 1;

    for (int i = 0; i < CHAOS_CHANNELS; i++)
        choices[i] =
            (struct choice){.way = me->sends ? WAY_SEND : WAY_RECV, .chan = me->chan[i], .value = &value};
    int i = channels.select(choices, CHAOS_CHANNELS, FOREVER);
    assert_in_range(i, 0, CHAOS_CHANNELS - 1);
    assert_int_equal(choices[i].status, me->sends ? 0 : 1);
}

static void chaos_run(void *arg)
{
    struct chaos *me = arg;

    for (int i = 0; i < me->moves; i++)
        (me->selects ? chaos_select : chaos_single)(me);
}

/* Singles pick their channel blindly; as many selects on the other side take from all of them, so that every
 * program of this shape can end. */
static void run_chaos(uint64_t capacity, bool selects_send)
{
    void *chan[CHAOS_CHANNELS];
    struct chaos actors[2 * CHAOS_PAIRS];
    struct call *calls[2 * CHAOS_PAIRS];
    int moves = channels.rounds / 8;

    for (int i = 0; i < CHAOS_CHANNELS; i++)
        chan[i] = channels.make(capacity, 8);
    for (int i = 0; i < 2 * CHAOS_PAIRS; i++) {
        bool select = i % 2;
        actors[i] = (struct chaos){.chan = chan,
                                   .dice = {conform_seed + (uint64_t)i},
                                   .moves = moves,
                                   .selects = select,
                                   .sends = select == selects_send};
        calls[i] = run_later(chaos_run, &actors[i]);
    }
    for (int i = 0; i < 2 * CHAOS_PAIRS; i++)
        finish(calls[i], NULL);
    assert_true(channels.parked(0));
    for (int i = 0; i < CHAOS_CHANNELS; i++) {
        assert_int_equal(channels.len(chan[i]), 0);
        channels.drop(chan[i]);
    }
}

static void test_S14_selects_take_what_single_senders_send(void **state)
{
    run_chaos(0, false);
    run_chaos(2, false);
}

static void test_S14_selects_feed_single_receivers_of_a_rendezvous(void **state)
{
    run_chaos(0, true);
}

/* ---- ping-pong and a ring: the tightest hand-offs ---- */

struct echo {
    void *in, *out;
    int n;
};

static void echo_run(void *arg)
{
    struct echo *echo = arg;
    uint64_t value;

    for (int i = 0; i < echo->n; i++) {
        assert_int_equal(channels.recv(echo->in, &value, FOREVER), 1);
        value++;
        assert_int_equal(channels.send(echo->out, &value, FOREVER), 0);
    }
}

static void test_S14_a_token_goes_round_a_ring(void **state)
{
    enum { RING = 5 };
    int laps = channels.rounds / 10;
    void *chan[RING];
    struct echo echoes[RING];
    struct call *calls[RING];
    uint64_t token = 0;

    for (int i = 0; i < RING; i++)
        chan[i] = channels.make(0, 8);
    for (int i = 0; i < RING - 1; i++) {
        echoes[i] = (struct echo){chan[i], chan[i + 1], laps};
        calls[i] = run_later(echo_run, &echoes[i]);
    }
    for (int lap = 0; lap < laps; lap++) {
        assert_int_equal(channels.send(chan[0], &token, FOREVER), 0);
        assert_int_equal(channels.recv(chan[RING - 1], &token, FOREVER), 1);
    }
    for (int i = 0; i < RING - 1; i++)
        finish(calls[i], NULL);
    assert_int_equal(token, laps * (RING - 1));
    for (int i = 0; i < RING; i++)
        channels.drop(chan[i]);
}

/* ---- cancel against a value in flight ---- */

static void test_S14_a_cancelled_receive_has_a_value_or_an_error_never_both(void **state)
{
    void *c = channels.make(0, 8);
    int taken = 0, refused = 0;

    for (int i = 0; i < channels.rounds / 10; i++) {
        void *stop = channels.stop_new();
        struct call *receiver = recv_later(c, UNLESS(stop));
        struct call *sender = send_later(c, 1, UNLESS(stop));
        channels.stop_cancel(stop);
        int received = finish(receiver, NULL), sent = finish(sender, NULL);
        assert_true(received == 1 || received == -ECANCELED);
        assert_true(sent == 0 || sent == -ECANCELED);
        taken += received == 1;
        refused += sent == -ECANCELED;
        assert_int_equal(received == 1, sent == 0);
        channels.stop_free(stop);
    }
    assert_int_equal(taken + refused, channels.rounds / 10);
    channels.drop(c);
}

int run_programs(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_S14_a_sieve_of_filters_finds_the_primes),
        cmocka_unit_test(test_S14_selects_take_what_single_senders_send),
        cmocka_unit_test(test_S14_selects_feed_single_receivers_of_a_rendezvous),
        cmocka_unit_test(test_S14_a_token_goes_round_a_ring),
        cmocka_unit_test(test_S14_a_cancelled_receive_has_a_value_or_an_error_never_both),
    };

    return cmocka_run_group_tests_name("programs", tests, NULL, NULL);
}
