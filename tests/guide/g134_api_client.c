/*
 * G134 Rate-limited API client: limiter, retry, back-off and context against a server that fails twice for each id.
 *
 * Pattern: limiter inside a retry. The client runs on a clock of its own; the server, outside, is a real one.
 */
#include "goroutine_patterns.h"
#include "guide.h"
#include "http/local.h"

#define MS INT64_C(1000000)

enum {
    IDS = 4,
    FAILURES = 2,
    ATTEMPTS_MAX = 5,
    PER_SECOND = 4,
    BACK_OFF_MS = 100,
    ATTEMPTS = IDS * (FAILURES + 1)
};

/* ---- the server ---- */

struct api {
    atomic_int attempts[IDS + 1], all;
};

static void serve_item(void *arg, const struct http_request *request, struct http_response *response)
{
    struct api *api = arg;
    int id = atoi(request->path + strlen("/item/"));

    atomic_fetch_add(&api->all, 1);
    if (atomic_fetch_add(&api->attempts[id], 1) < FAILURES)
        http_reply(response, 503, "try again");
    else
        http_reply(response, 200, "item %d", id);
}

/* ---- the client ---- */

struct client {
    int port;
    struct api *api;
    go_limiter *limiter;
    go_ctx *ctx;
    go_mutex lock;
    int64_t at_ms[ATTEMPTS];
    int attempts;
    atomic_int successes, canceled;
};

struct call {
    struct client *client;
    int id;
};

static int attempt(void *arg)
{
    const struct call *call = arg;
    struct client *client = call->client;
    char path[32];
    struct got got;
    int r = go_limiter_take(client->limiter, 1, go_with(client->ctx));

    if (r < 0)
        return r;
    go_mutex_lock(&client->lock);
    client->at_ms[client->attempts++] = fake_ms();
    go_mutex_unlock(&client->lock);
    snprintf(path, sizeof path, "/item/%d", call->id);
    got = local_get_until(client->port, path, go_with(client->ctx));
    return got.status == 200 ? 0 : got.status < 0 ? got.status : -EAGAIN;
}

static void call_api(void *arg)
{
    struct call *call = arg;
    int r = go_retry(attempt, call, ATTEMPTS_MAX, BACK_OFF_MS * MS, call->client->ctx);

    atomic_fetch_add(&call->client->successes, r == 0);
    atomic_fetch_add(&call->client->canceled, r == -ECANCELED);
}

static void start_calls(struct client *client, int ids)
{
    client->ctx = go_ctx_new(go_ctx_background());
    client->limiter = go_limiter_new(PER_SECOND, 1000 * MS, 1);
    must(client->ctx && client->limiter);
    for (int id = 1; id <= ids; id++)
        must(go_spawn(call_api, &((struct call){client, id}), sizeof(struct call)) == 0);
}

static void end_calls(struct client *client)
{
    go_limiter_unref(client->limiter);
    go_ctx_unref(client->ctx);
}

static void call_all(void *arg)
{
    struct client *client = arg;

    start_calls(client, IDS);
    while (atomic_load(&client->successes) < IDS)
        go_sleep(go_after_ms(1000));
    end_calls(client);
    /* "12 attempts, 4 successes" */
    must(client->attempts == ATTEMPTS && atomic_load(&client->api->all) == ATTEMPTS);
    for (int first = 0; first + PER_SECOND < ATTEMPTS; first++)
        /* "never more than the limit in a fake second" */
        must(client->at_ms[first + PER_SECOND] - client->at_ms[first] >= 1000);
}

static void cancel_one(void *arg)
{
    struct client *client = arg;

    start_calls(client, 1);
    while (atomic_load(&client->api->all) < 1)
        go_yield();
    go_sleep(go_after_ms(BACK_OFF_MS / 2)); /* it pauses */
    go_ctx_cancel(client->ctx, 0, NULL);
    go_sleep(go_after_ms(1000 * BACK_OFF_MS));
    /* "after a cancel no attempt, and the error "context canceled"" */
    must(atomic_load(&client->api->all) == 1 && client->attempts == 1);
    must(atomic_load(&client->canceled) == 1 && go_ctx_err(client->ctx) == -ECANCELED);
    end_calls(client);
}

static void run_against_server(void (*scene)(void *client))
{
    struct api api = {0};
    struct http_server *server = local_start("/item/*", (struct http_handler){serve_item, &api});
    struct client client = {.port = http_server_port(server), .api = &api};

    on_fake_clock(scene, &client);
    local_stop(server);
}

static void api_client(void)
{
    run_against_server(call_all);
    run_against_server(cancel_one);
}

GUIDE_ROW(G134, api_client);
