/*
 * G118 A service that has failed three times in a row is left alone for five seconds; then one call finds out whether it
 * is well again.
 *
 * Pattern: circuit breaker.
 */
#include "goroutine_patterns.h"
#include "guide.h"

#define OPEN_NS INT64_C(5000000000)

enum { THRESHOLD = 3, OPEN_MS = 5000, CALLERS = 10 };

struct service {
    const char *script; /* what each call comes to: F failure, S success */
    int calls;
};

static int call_service(void *arg)
{
    struct service *service = arg;

    return service->script[service->calls++] == 'S' ? 0 : -EIO;
}

static int call(go_breaker *breaker, struct service *service)
{
    int r = go_breaker_call(breaker, call_service, service);

    if (r == -EHOSTDOWN)
        say("circuit breaker is open");
    return r;
}

static void call_times(int n, go_breaker *breaker, struct service *service)
{
    for (int i = 0; i < n; i++)
        must(call(breaker, service) == -EIO);
}

static void opens_and_recovers(void *unused)
{
    go_breaker *breaker = go_breaker_new(THRESHOLD, OPEN_NS);
    struct service service = {.script = "FFFFS"};

    call_times(THRESHOLD, breaker, &service);
    /* "three failures in a row open it" */
    must(go_breaker_state(breaker) == GO_BREAKER_OPEN);
    must(call(breaker, &service) == -EHOSTDOWN && call(breaker, &service) == -EHOSTDOWN);
    /* "the next calls fail with "circuit breaker is open" and the service is not called: 3 calls" */
    must(said(LINES("circuit breaker is open", "circuit breaker is open")) && service.calls == THRESHOLD);
    go_sleep(go_after_ms(OPEN_MS));
    must(call(breaker, &service) == -EIO && service.calls == THRESHOLD + 1);
    /* "after 5 s one probe: if it fails the breaker is open again" */
    must(go_breaker_state(breaker) == GO_BREAKER_OPEN && call(breaker, &service) == -EHOSTDOWN);
    go_sleep(go_after_ms(OPEN_MS));
    /* "if it succeeds the breaker is closed" */
    must(call(breaker, &service) == 0 && go_breaker_state(breaker) == GO_BREAKER_CLOSED);
    go_breaker_unref(breaker);
}

static void success_between(void *unused)
{
    go_breaker *breaker = go_breaker_new(THRESHOLD, OPEN_NS);
    struct service service = {.script = "FFSFF"};

    call_times(2, breaker, &service);
    must(call(breaker, &service) == 0);
    call_times(2, breaker, &service);
    /* "F, F, S, F, F leaves it closed" */
    must(go_breaker_state(breaker) == GO_BREAKER_CLOSED && service.calls == 5);
    go_breaker_unref(breaker);
}

struct probing {
    go_breaker *breaker;
    struct gate gate;
    struct peak inside;
    atomic_int refused;
};

static int probe(void *arg)
{
    struct probing *probing = arg;

    peak_enter(&probing->inside);
    gate_pass(&probing->gate);
    peak_leave(&probing->inside);
    return 0;
}

static void try_probe(void *arg)
{
    struct probing *probing = arg;

    if (go_breaker_call(probing->breaker, probe, probing) == -EHOSTDOWN)
        atomic_fetch_add(&probing->refused, 1);
}

static void ten_at_once(void *unused)
{
    struct probing probing = {.breaker = go_breaker_new(THRESHOLD, OPEN_NS)};
    struct service service = {.script = "FFF"};
    go_waitgroup callers = {0};

    call_times(THRESHOLD, probing.breaker, &service);
    go_sleep(go_after_ms(OPEN_MS));
    for (int i = 0; i < CALLERS; i++)
        must(go_waitgroup_go(&callers, try_probe, &probing, 0) == 0);
    gate_until(&probing.gate, 1);
    while (go_waitgroup_count(&callers) > 1)
        go_yield();
    gate_open(&probing.gate);
    go_waitgroup_wait(&callers);
    /* "of 10 callers at once after the 5 s exactly 1 is the probe, and 9 are refused" */
    must(atomic_load(&probing.inside.most) == 1 && atomic_load(&probing.refused) == CALLERS - 1);
    must(go_breaker_state(probing.breaker) == GO_BREAKER_CLOSED);
    go_breaker_unref(probing.breaker);
}

static void circuit_breaker(void)
{
    on_fake_clock(opens_and_recovers, NULL);
    on_fake_clock(success_between, NULL);
    on_fake_clock(ten_at_once, NULL);
}

GUIDE_ROW(G118, circuit_breaker);
