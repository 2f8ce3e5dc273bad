/*
 * An HTTP/1.1 server for the examples: a goroutine for each connection, handlers by path.
 *
 *     static void hello(void *arg, const struct http_request *request, struct http_response *response)
 *     {
 *         http_reply(response, 200, "Hello, World!");
 *     }
 *
 *     struct http_server *server = http_server_new();
 *     http_server_route(server, "/", (struct http_handler){hello, NULL});
 *     r = http_server_start(server, "127.0.0.1", "8080");
 *     ...
 *     http_server_stop(server);
 *     http_server_delete(server);
 *
 * Everything here is called from goroutines. Functions return 0 or a negative errno value.
 */
#pragma once

#include <stddef.h>

/* What a client may make grow. */
enum {
    HTTP_CONNECTIONS_MAX = 1024, /* at once; further ones wait to be accepted */
    HTTP_ROUTES_MAX = 64,
    HTTP_URL_BYTES_MAX = 4096,       /* more is 414 */
    HTTP_BODY_BYTES_MAX = 1 << 20,   /* of a request; more is 413 */
    HTTP_REQUEST_MS_MAX = 10 * 1000, /* from a request's first byte to its last, and to write the answer */
    HTTP_IDLE_MS_MAX = 60 * 1000,    /* between two requests of a connection */
};

/* Lives while its handler runs. Strings end with a zero byte. */
struct http_request {
    const char *method; /* "GET" */
    const char *path;   /* as it was sent, without the query */
    const char *query;  /* what follows the question mark, or "" */
    const char *body;
    size_t body_bytes;
};

/* To be filled in by a handler: begins as an empty 200. */
struct http_response {
    int status;
    char *body; /* malloc'd; the server frees it */
    size_t body_bytes;
};

/* Sets status and text, in place of what was there. */
void http_reply(struct http_response *response, int status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Called in the connection's goroutine, so many at once; it may wait. */
struct http_handler {
    void (*serve)(void *arg, const struct http_request *request, struct http_response *response);
    void *arg;
};

/* NULL: no memory. */
struct http_server *http_server_new(void);

/* Before the start. "/slow": this path alone; "/files/" and an asterisk: every path that begins with "/files/", unless
 * there is a route for more of it. Other paths are 404. -ENOSPC: HTTP_ROUTES_MAX. `path` lives as long as the server. */
int http_server_route(struct http_server *server, const char *path, struct http_handler handler);

/* Listens and serves, in goroutines of its own. Port "0" is a free one. -EADDRINUSE, or as go_listen. */
int http_server_start(struct http_server *server, const char *host, const char *port);

/* Where it listens. */
int http_server_port(const struct http_server *server);

/* Refuses new connections, lets requests that run finish, and returns when the last connection is closed. */
void http_server_stop(struct http_server *server);

/* Of a stopped server, or one that was never started. NULL is nothing. */
void http_server_delete(struct http_server *server);
