/*
 * G63 What belongs to a request travels with its context: who asks, and under which number.
 *
 * Pattern: values of a request. A key is an object of the module that owns the value: nobody else can name it by
 * accident, not even with the same text.
 */
#include "guide.h"

enum { TIMEOUT_MS = 2000, WORK_MS = 500 };

static const char user_key[] = "user_id", request_key[] = "request_id";
static const char others_user_key[] = "user_id"; /* of another module */

static void process_request(void *arg)
{
    go_ctx *ctx = arg;
    const char *user = go_ctx_value(ctx, user_key), *request = go_ctx_value(ctx, request_key);

    if (!user || !request) {
        say("Refused: a request without a user or number");
        return;
    }
    say("Processing request %s for user %s", request, user);
    if (go_sleep(go_both(go_after_ms(WORK_MS), ctx)) == 0)
        say("Request %s completed", request);
}

static void count_drop(void *value)
{
    say("dropped %s", (const char *)value);
}

static go_ctx *with_user(go_ctx *parent, const char *user)
{
    return go_ctx_with_value(parent, user_key, (void *)(uintptr_t)user, count_drop);
}

static go_ctx *with_request(go_ctx *parent, const char *request)
{
    return go_ctx_with_value(parent, request_key, (void *)(uintptr_t)request, NULL);
}

static void serve(void *unused)
{
    go_ctx *limit = go_ctx_with_deadline(go_ctx_background(), go_after_ms(TIMEOUT_MS));
    go_ctx *user = with_user(limit, "12345"), *ctx = with_request(user, "req_67890");
    go_waitgroup done = {0};

    must(go_waitgroup_go(&done, process_request, ctx, 0) == 0);
    go_waitgroup_wait(&done);
    /* ""Processing request req_67890 for user 12345", then completed" */
    must(said(LINES("Processing request req_67890 for user 12345", "Request req_67890 completed")));
    /* "the caller goes on when the request is done, at 500 ms, not when its time is over" */
    must(fake_ms() == WORK_MS);
    go_ctx_unref(ctx);
    go_ctx_unref(user);
    go_ctx_unref(limit);
    /* "a value is dropped with the last context that has it" */
    must(said_last("dropped 12345"));
}

static void look_up(void *unused)
{
    go_ctx *outer = with_user(go_ctx_background(), "12345"), *inner = with_user(outer, "67890");

    /* "the inner binding wins" */
    must(strcmp(go_ctx_value(inner, user_key), "67890") == 0);
    must(strcmp(go_ctx_value(outer, user_key), "12345") == 0);
    /* "a missing key gives NULL, which the request checks" */
    must(!go_ctx_value(inner, request_key));
    process_request(inner);
    must(said_last("Refused: a request without a user or number"));
    /* "a key of the same text in another place is another key" */
    must(strcmp(user_key, others_user_key) == 0 && !go_ctx_value(inner, others_user_key));
    go_ctx_unref(inner);
    go_ctx_unref(outer);
}

static void values(void)
{
    on_fake_clock(serve, NULL);
    look_up(NULL);
}

GUIDE_ROW(G63, values);
