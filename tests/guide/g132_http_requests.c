/*
 * G132 Concurrent HTTP requests: 3 workers fetch addresses; each has exactly one result, whatever becomes of it.
 *
 * Pattern: worker pool with a result for each task.
 */
#include "goroutine_patterns.h"
#include "guide.h"
#include "http/local.h"

enum { WORKERS = 3, PAGE_BYTES = 12345, TIMEOUT_MS = 100 };

static void serve_page(void *unused, const struct http_request *request, struct http_response *response)
{
    http_reply(response, 200, "%0*d", PAGE_BYTES, 0);
}

static void serve_held(void *gate, const struct http_request *request, struct http_response *response)
{
    gate_pass(gate);
}

struct address {
    const char *path; /* below the server; or an address of its own */
    int port;
    bool is_held; /* its answer never comes */
};

struct result {
    int status; /* or a negative errno value */
    size_t bytes;
};

static int fetch(const struct go_task *task)
{
    const struct address *address = task->arg;
    struct result *result = task->result;
    struct http_answer answer;
    char url[128];

    snprintf(url, sizeof url, address->port ? "http://127.0.0.1:%d%s" : "%.0d%s", address->port,
             address->path);
    result->status = http_get(url, &answer, address->is_held ? go_after_ms(TIMEOUT_MS) : GO_FOREVER);
    if (result->status == 0)
        result->status = answer.status;
    result->bytes = answer.body_bytes;
    http_answer_free(&answer);
    return 0;
}

static struct http_server *start_server(struct gate *gate)
{
    struct http_server *server = http_server_new();

    must(http_server_route(server, "/page", (struct http_handler){serve_page, NULL}) == 0);
    must(http_server_route(server, "/held", (struct http_handler){serve_held, gate}) == 0);
    must(http_server_start(server, "127.0.0.1", "0") == 0);
    return server;
}

/* On which nobody listens: of a server that has stopped. */
static int refused_port(void)
{
    struct http_server *server = start_server(NULL);
    int port = http_server_port(server);

    local_stop(server);
    return port;
}

static void http_requests(void)
{
    struct gate gate = {0};
    struct http_server *server = start_server(&gate);
    int port = http_server_port(server);
    const struct address addresses[] = {{"/page", port},
                                        {"/unknown", port},
                                        {"/held", port, true},
                                        {"http://[bad", 0},
                                        {"/", refused_port()}};
    /* known size, unknown, held, malformed, refused */
    const int wanted[] = {200, 404, -ETIMEDOUT, -EINVAL, -ECONNREFUSED};
    enum { ADDRESSES = sizeof addresses / sizeof *addresses };
    struct go_workers_options options = {
        .workers = WORKERS, .queue = ADDRESSES, .result_bytes = sizeof(struct result)};
    go_workers *pool = go_workers_new(&options);
    struct go_task_result end;
    struct result result;
    int results[ADDRESSES + 1] = {0};

    for (int i = 0; i < ADDRESSES; i++)
        must(go_workers_submit(pool, fetch, &addresses[i], sizeof addresses[i], GO_FOREVER) == i + 1);
    go_workers_close(pool);
    while (go_workers_result(pool, &end, &result, GO_FOREVER) == 1) {
        int i = (int)end.id - 1;

        results[i]++;
        /* "status and size are exact", "timeout, refused and malformed give an error each" */
        must(end.end == GO_TASK_RETURNED && result.status == wanted[i]);
        must(i != 0 || result.bytes == PAGE_BYTES);
        must(result.status >= 0 || result.bytes == 0);
    }
    for (int i = 0; i < ADDRESSES; i++)
        /* "exactly one result for each address" */
        must(results[i] == 1);
    gate_open(&gate);
    local_stop(server);
    go_workers_unref(pool);
}

GUIDE_ROW(G132, http_requests);
