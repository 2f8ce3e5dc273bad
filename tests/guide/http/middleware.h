/* Handlers around handlers. Each is made in place, lives as long as the server, and is passed on as a handler:
 *
 *     struct http_ratelimit limited = {.next = hello, .limiter = limiter};
 *     struct http_logging logged = {.next = http_ratelimit(&limited), .log = print};
 *     http_server_route(server, "/", http_logging(&logged));
 */
#pragma once

#include "goroutine_patterns.h"
#include "server.h"

/* Calls `log` with "GET /path 200 13" when the response was made: method, path, status, bytes. */
struct http_logging {
    struct http_handler next;
    void (*log)(void *arg, const char *line);
    void *arg;
};
struct http_handler http_logging(struct http_logging *logging);

/* Serves as many requests as there are tokens; the others are 429. */
struct http_ratelimit {
    struct http_handler next;
    go_limiter *limiter;
};
struct http_handler http_ratelimit(struct http_ratelimit *ratelimit);
