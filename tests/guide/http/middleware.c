#include "middleware.h"

#include <stdio.h>

static void serve_logged(void *arg, const struct http_request *request, struct http_response *response)
{
    const struct http_logging *me = arg;
    char line[HTTP_URL_BYTES_MAX + 64];

    me->next.serve(me->next.arg, request, response);
    snprintf(line, sizeof line, "%s %s %d %zu", request->method, request->path, response->status,
             response->body_bytes);
    me->log(me->arg, line);
}

struct http_handler http_logging(struct http_logging *logging)
{
    return (struct http_handler){serve_logged, logging};
}

static void serve_limited(void *arg, const struct http_request *request, struct http_response *response)
{
    const struct http_ratelimit *me = arg;

    if (go_limiter_take(me->limiter, 1, GO_NOW) == 0)
        me->next.serve(me->next.arg, request, response);
    else
        http_reply(response, 429, "Rate limited");
}

struct http_handler http_ratelimit(struct http_ratelimit *ratelimit)
{
    return (struct http_handler){serve_limited, ratelimit};
}
