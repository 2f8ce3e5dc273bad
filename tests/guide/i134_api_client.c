/*
 * G134 between processes: four clients of one service keep one rate together; what fails is tried again, later and later,
 * until the context of the call ends. The daemon's clock is moved by another process.
 *
 * Pattern: limiter inside a retry.
 */
#include <stdatomic.h>

#include "goclient_context.h"
#include "goclient_inspect.h"
#include "goclient_sync.h"
#include "goroutine.h"
#include "http/client.h"
#include "http/server.h"
#include "parts.h"

#define MS INT64_C(1000000)

enum { IDS = 4, FAILURES = 2, PER_SECOND = 4, BACK_OFF_MS = 100, STEP_MS = 50, CLIENTS = IDS + 1 };

static const struct gc_rate rate = {.period_ns = 1000 / PER_SECOND * MS, .burst = 1};

/* ---- the server: "/item/3" fails twice, /item/5 always ---- */

struct api {
    atomic_int attempts[CLIENTS + 1];
};

static void serve_item(void *arg, const struct http_request *request, struct http_response *response)
{
    struct api *api = arg;
    int id = atoi(request->path + strlen("/item/"));

    if (atomic_fetch_add(&api->attempts[id], 1) < FAILURES || id > IDS)
        http_reply(response, 503, "try again");
    else
        http_reply(response, 200, "item %d", id);
}

static void server(struct part *me)
{
    struct api api = {0};
    struct http_server *http = http_server_new();
    int all = 0;

    must(http_server_route(http, "/item/*", (struct http_handler){serve_item, &api}) == 0);
    must(http_server_start(http, "127.0.0.1", "0") == 0);
    for (int i = 0; i < CLIENTS; i++)
        send_number(me, chan_of(me, "port"), http_server_port(http));
    step_wait(me, "called");
    http_server_stop(http);
    http_server_delete(http);
    for (int id = 1; id <= IDS; id++)
        all += atomic_load(&api.attempts[id]);
    say(me, "%d requests of those who are patient, %d of the other", all,
        atomic_load(&api.attempts[CLIENTS]));
}

/* ---- the clients ---- */

/* What is over on the daemon's clock stands in a file that the clock hand writes. */
static int clock_ms(const struct part *me, int set)
{
    char path[TEXT_BYTES];
    int ms = set;
    FILE *file;

    shared_file(me, "clock", path);
    file = fopen(path, set >= 0 ? "we" : "re");
    must(file != NULL);
    must(set >= 0 ? fprintf(file, "%d\n", set) > 0 : fscanf(file, "%d", &ms) == 1);
    must(fclose(file) == 0);
    return ms;
}

/* 0, -EAGAIN: try again, or why it may not. */
static int attempt(struct part *me, int port, int id, gc_ctx *ctx)
{
    struct http_answer answer;
    char url[64];
    int r = gc_limit_take(me->g, "api", rate, 1, gc_with(ctx));

    if (r < 0)
        return r;
    say(me, "attempt at %d ms for %d", clock_ms(me, -1), id);
    snprintf(url, sizeof url, "http://127.0.0.1:%d/item/%d", port, id);
    must(http_get(url, &answer, GO_FOREVER) == 0);
    r = answer.status == 200 ? 0 : -EAGAIN;
    http_answer_free(&answer);
    return r;
}

/* Nobody ever sends on `pause`: the wait ends with its time, or with the context. */
static int pause_for(struct part *me, gc_chan pause, int64_t ms, gc_ctx *ctx)
{
    struct gc_value v = {0};
    gc_until until = gc_after_ms(ms);
    int r;

    until.ctx = ctx;
    r = gc_recv(me->g, pause, &v, 0, until);
    return r == -ETIMEDOUT ? 0 : r;
}

static int call_api(struct part *me, int port, int id, const char *pause, gc_ctx *ctx)
{
    int64_t wait_ms = BACK_OFF_MS;
    int r;

    while ((r = attempt(me, port, id, ctx)) == -EAGAIN) {
        r = pause_for(me, chan_of(me, pause), wait_ms, ctx);
        if (r < 0)
            return r;
        wait_ms *= 2;
    }
    return r;
}

static void patient(struct part *me)
{
    int port;

    must(recv_number(me, chan_of(me, "port"), &port));
    step_wait(me, "clock_is_set");
    must(call_api(me, port, me->index + 1, "pause", NULL) == 0);
    say(me, "item %d is there", me->index + 1);
    step_wait(me, "called");
}

static void impatient(struct part *me)
{
    gc_ctx *ctx;
    int port, r;

    must(recv_number(me, chan_of(me, "port"), &port));
    step_wait(me, "items_are_there");
    must(gc_context_open(me->g, "impatient", &ctx, GC_FOREVER) == 0);
    r = call_api(me, port, CLIENTS, "last_pause", ctx);
    say(me, "the other: %s", error_words(r));
    gc_ctx_free(ctx);
    step_wait(me, "called");
}

/* ---- the clock ---- */

/* Who waits stays so while the clock stands: counted one after the other, nobody is counted twice. */
static uint64_t clients_waiting(struct part *me)
{
    static const char *const places[] = {"pause", "called"};
    struct gc_parked_page page;
    struct gc_chan_info info;
    uint64_t n;

    must(gc_parked(me->g,
                   &(struct gc_parked_filter){.size = sizeof(struct gc_parked_filter), .object = "api"},
                   &page, GC_FOREVER) >= 0);
    n = page.n;
    gc_parked_page_clear(&page);
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        must(gc_chan_stat(me->g, places[i], &info, GC_FOREVER) == 0);
        n += info.receivers;
    }
    return n;
}

static void move_clock(struct part *me, int *now_ms, int ms)
{
    clock_ms(me, *now_ms += ms);
    advance_ms(me, ms);
}

static void clock_hand(struct part *me)
{
    struct gc_context_options named = {.size = sizeof named, .name = "impatient"};
    struct gc_chan_info called = {0};
    gc_chan last_pause = chan_of(me, "last_pause");
    gc_ctx *ctx;
    int now_ms = 0;

    clock_ms(me, 0);
    step_done(me, "clock_is_set");
    while (called.receivers < IDS + 1) { /* the server is there, too */
        while (clients_waiting(me) < IDS + 1)
            ;
        move_clock(me, &now_ms, STEP_MS);
        must(gc_chan_stat(me->g, "called", &called, GC_FOREVER) == 0);
    }
    must(gc_context_derive(me->g, NULL, &named, &ctx, GC_FOREVER) == 0);
    move_clock(me, &now_ms, 1000);
    step_done(me, "items_are_there");
    until_waiting(me, last_pause, 0, 1);
    must(gc_context_cancel(ctx, 0, NULL, GC_FOREVER) == 1);
    until_waiting(me, chan_of(me, "called"), 0, IDS + 2);
    move_clock(me, &now_ms, 1000 * BACK_OFF_MS);
    gc_ctx_free(ctx);
    step_done(me, "called");
}

static void api_client(void)
{
    int at[IDS * (FAILURES + 1) + 1], n = 0, id;

    for (size_t i = 0; i < part_lines.n; i++)
        n += sscanf(part_lines.line[i], "attempt at %d ms for %d", &at[n < 12 ? n : 12], &id) == 2;
    /* "12 attempts, 4 successes" */
    must(said_times("12 requests of those who are patient, 1 of the other") == 1 && n == 12 + 1);
    for (id = 1; id <= IDS; id++)
        must(said_times("item %d is there", id) == 1);
    /* "never more than the limit in a fake second" */
    for (int first = 0; first + PER_SECOND <= 12; first++)
        must(at[first + PER_SECOND] - at[first] >= 1000);
    /* "after a cancel no attempt, and the error "context canceled"" */
    must(said_times("the other: context canceled") == 1);
}

GUIDE_PARTS(
    G134, api_client, .test_clock = true, .goroutines = true,
    .channels = {{"port"}, {"clock_is_set"}, {"pause"}, {"last_pause"}, {"items_are_there"}, {"called"}},
    .parts = {PART(server), PARTS(IDS, patient), PART(impatient), PART(clock_hand)});
