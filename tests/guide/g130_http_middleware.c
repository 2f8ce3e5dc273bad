/*
 * G130 HTTP middleware: logging(ratelimit(handler)).
 *
 * Pattern: handlers around handlers.
 */
#include "guide.h"
#include "http/local.h"
#include "http/middleware.h"

enum { REQUESTS = 12, BUCKET = 10 };

static const int64_t no_refill_ns = INT64_C(86400) * 1000000000;

static void serve_hello(void *made, const struct http_request *request, struct http_response *response)
{
    http_reply(response, 200, "Hello, World!");
    atomic_store(&((atomic_bool *)made)[atoi(request->path + 1)], true);
    say("handler");
}

/* Shows when the chain comes by. */
struct trace {
    const char *name;
    struct http_handler next;
};

static void serve_traced(void *arg, const struct http_request *request, struct http_response *response)
{
    const struct trace *me = arg;

    say("%s", me->name);
    me->next.serve(me->next.arg, request, response);
}

struct log {
    const atomic_bool *made;
    atomic_int lines, good, limited;
};

static void log_line(void *arg, const char *line)
{
    struct log *log = arg;
    int id = atoi(line + strlen("GET /"));
    char good[64], limited[64];

    snprintf(good, sizeof good, "GET /%d 200 %zu", id, strlen("Hello, World!"));
    snprintf(limited, sizeof limited, "GET /%d 429 %zu", id, strlen("Rate limited"));
    /* "each comes after its response was made": its status and size are known, and its handler has ended */
    must(strcmp(line, limited) == 0 || (strcmp(line, good) == 0 && atomic_load(&log->made[id])));
    atomic_fetch_add(strcmp(line, good) == 0 ? &log->good : &log->limited, 1);
    atomic_fetch_add(&log->lines, 1);
    say("logged");
}

struct getter {
    int port, id;
    atomic_int *good, *limited;
};

static void get_one(void *arg)
{
    const struct getter *me = arg;
    char path[16];
    struct got got;

    snprintf(path, sizeof path, "/%d", me->id);
    got = local_get(me->port, path);
    atomic_fetch_add(me->good, got_is(got, 200, "Hello, World!"));
    atomic_fetch_add(me->limited, got_is(got, 429, "Rate limited"));
}

static void http_middleware(void)
{
    atomic_bool made[REQUESTS] = {false};
    struct log log = {.made = made};
    struct http_ratelimit limited = {{serve_hello, made}, go_limiter_new(1, no_refill_ns, BUCKET)};
    struct trace inner = {"ratelimit", http_ratelimit(&limited)};
    struct http_logging logged = {{serve_traced, &inner}, log_line, &log};
    struct trace outer = {"logging", http_logging(&logged)};
    struct http_server *server = local_start("/*", (struct http_handler){serve_traced, &outer});
    atomic_int good = 0, refused = 0;
    struct getter getter = {http_server_port(server), 0, &good, &refused};
    go_waitgroup getters = {0};

    get_one(&getter);
    /* "the outermost runs first" */
    must(said(LINES("logging", "ratelimit", "handler", "logged")));
    for (getter.id = 1; getter.id < REQUESTS; getter.id++)
        must(go_waitgroup_go(&getters, get_one, &getter, sizeof getter) == 0);
    go_waitgroup_wait(&getters);
    /* "10 x 200 and 2 x 429 "Rate limited"" */
    must(atomic_load(&good) == BUCKET && atomic_load(&refused) == REQUESTS - BUCKET);
    /* "12 log lines" */
    must(atomic_load(&log.lines) == REQUESTS && said_times("logged") == REQUESTS);
    must(atomic_load(&log.good) == BUCKET && atomic_load(&log.limited) == REQUESTS - BUCKET);
    local_stop(server);
    go_limiter_unref(limited.limiter);
}

GUIDE_ROW(G130, http_middleware);
