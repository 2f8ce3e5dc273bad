/*
 * A connection reads a request, has it served, writes the answer, and begins again; http_parser says where a request
 * ends. Invariant: whatever was read behind the end of a request stays in `buffer`, from `at` on.
 *
 * Stopping closes the listener and cancels `ctx`, under which connections wait for a request, but not while they serve
 * one.
 */
#include "server.h"

#include <errno.h>
#include <http_parser.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "goroutine_net.h"
#include "goroutine_sync.h"

enum { BUFFER_BYTES = 8192, HEAD_BYTES_MAX = 512 };

struct route {
    const char *path;
    struct http_handler handler;
};

struct http_server {
    struct route routes[HTTP_ROUTES_MAX];
    int routes_n;
    go_fd listener;
    go_ctx *ctx;
    go_semaphore slots;      /* of connections */
    go_waitgroup goroutines; /* the listener's and the connections' */
};

struct connection {
    struct http_server *server;
    go_fd fd;
    http_parser parser;
    char buffer[BUFFER_BYTES];
    size_t at, end; /* what of the buffer is not parsed */

    /* the request */
    char url[HTTP_URL_BYTES_MAX + 1];
    size_t url_bytes;
    char *body;
    size_t body_bytes;
    bool complete;
    int refused; /* the status with which it is, 0 */
};

/* ---- parsing ---- */

static int on_url(http_parser *parser, const char *at, size_t bytes)
{
    struct connection *c = parser->data;

    if (bytes > HTTP_URL_BYTES_MAX - c->url_bytes) {
        c->refused = 414;
        return -1;
    }
    memcpy(c->url + c->url_bytes, at, bytes);
    c->url_bytes += bytes;
    return 0;
}

static int on_body(http_parser *parser, const char *at, size_t bytes)
{
    struct connection *c = parser->data;
    char *body =
        bytes > HTTP_BODY_BYTES_MAX - c->body_bytes ? NULL : realloc(c->body, c->body_bytes + bytes + 1);

    if (!body) {
        c->refused = 413;
        return -1;
    }
    memcpy(body + c->body_bytes, at, bytes);
    c->body = body;
    c->body_bytes += bytes;
    return 0;
}

static int on_complete(http_parser *parser)
{
    ((struct connection *)parser->data)->complete = true;
    http_parser_pause(parser, true); /* what follows is the next request */
    return 0;
}

static const http_parser_settings settings = {
    .on_url = on_url, .on_body = on_body, .on_message_complete = on_complete};

static void parse(struct connection *c)
{
    c->at += http_parser_execute(&c->parser, &settings, c->buffer + c->at, c->end - c->at);
    if (c->complete)
        http_parser_pause(&c->parser, false);
    else if (HTTP_PARSER_ERRNO(&c->parser) != HPE_OK && !c->refused)
        c->refused = 400;
}

/* ---- one request ---- */

static void request_begin(struct connection *c)
{
    free(c->body);
    c->body = NULL;
    c->url_bytes = c->body_bytes = 0;
    c->complete = false;
}

/* 1: a request is there, or `refused`; 0 or negative: no more will come. */
static int request_read(struct connection *c)
{
    go_until until = go_both(go_after_ms(HTTP_IDLE_MS_MAX), c->server->ctx);
    bool begun = c->at < c->end;

    request_begin(c);
    for (;;) {
        ssize_t n;

        if (c->at < c->end)
            parse(c);
        if (c->complete || c->refused)
            return 1;
        if (begun)
            until = go_both(go_after_ms(HTTP_REQUEST_MS_MAX), c->server->ctx);
        n = go_read(c->fd, c->buffer, sizeof c->buffer, until);
        if (n <= 0)
            return (int)n;
        c->at = 0;
        c->end = (size_t)n;
        begun = true;
    }
}

/* The longest route of the path. */
static const struct route *route_of(const struct http_server *s, const char *path)
{
    const struct route *found = NULL;

    for (int i = 0; i < s->routes_n; i++) {
        const struct route *r = &s->routes[i];
        size_t bytes = strlen(r->path);
        bool prefix = r->path[bytes - 1] == '*';

        if (strncmp(path, r->path, prefix ? bytes - 1 : bytes + 1) == 0 &&
            (!found || bytes > strlen(found->path)))
            found = r;
    }
    return found;
}

static void request_serve(struct connection *c, struct http_response *response)
{
    struct http_request request = {.method = http_method_str(c->parser.method),
                                   .path = c->url,
                                   .query = "",
                                   .body = c->body ? c->body : "",
                                   .body_bytes = c->body_bytes};
    const struct route *route;
    char *mark;

    c->url[c->url_bytes] = '\0';
    if (c->body)
        c->body[c->body_bytes] = '\0';
    mark = strchr(c->url, '?');
    if (mark) {
        *mark = '\0';
        request.query = mark + 1;
    }
    route = route_of(c->server, request.path);
    if (route)
        route->handler.serve(route->handler.arg, &request, response);
    else
        http_reply(response, 404, "404 page not found");
}

static int response_write(struct connection *c, const struct http_response *response, bool keep)
{
    go_until until = go_after_ms(HTTP_REQUEST_MS_MAX);
    size_t bytes = c->parser.method == HTTP_HEAD ? 0 : response->body_bytes;
    char *all = malloc(HEAD_BYTES_MAX + bytes);
    ssize_t n = -ENOMEM;

    if (all) {
        int head =
            snprintf(all, HEAD_BYTES_MAX, "HTTP/1.1 %d %s\r\nContent-Length: %zu\r\nConnection: %s\r\n\r\n",
                     response->status, http_status_str((enum http_status)response->status),
                     response->body_bytes, keep ? "keep-alive" : "close");

        if (bytes > 0)
            memcpy(all + head, response->body, bytes);
        n = go_write(c->fd, all, (size_t)head + bytes, until);
    }
    free(all);
    return n < 0 ? (int)n : 0;
}

void http_reply(struct http_response *response, int status, const char *format, ...)
{
    va_list args;
    int n;

    free(response->body);
    va_start(args, format);
    n = vasprintf(&response->body, format, args);
    va_end(args);
    if (n < 0)
        go_panic("no memory for a response");
    response->status = status;
    response->body_bytes = (size_t)n;
}

/* ---- connections ---- */

static void connection_delete(struct connection **c)
{
    go_fd_close((*c)->fd);
    go_semaphore_release(&(*c)->server->slots, 1);
    free((*c)->body);
    free(*c);
}

static void connection_run(void *arg)
{
    __attribute__((cleanup(connection_delete))) struct connection *c = *(struct connection **)arg;
    bool keep = true;

    http_parser_init(&c->parser, HTTP_REQUEST);
    c->parser.data = c;
    while (keep && request_read(c) == 1) {
        struct http_response response = {.status = 200};

        if (c->refused)
            http_reply(&response, c->refused, "%s", http_status_str((enum http_status)c->refused));
        else
            request_serve(c, &response);
        keep = !c->refused && http_should_keep_alive(&c->parser) && !go_ctx_err(c->server->ctx);
        keep = response_write(c, &response, keep) == 0 && keep;
        free(response.body);
    }
}

/* The slot of the connection is taken. */
static void connection_start(struct http_server *s, go_fd fd)
{
    struct connection *c = calloc(1, sizeof *c);

    if (c) {
        c->server = s;
        c->fd = fd;
        if (go_waitgroup_go(&s->goroutines, connection_run, &c, sizeof c) == 0)
            return;
    }
    free(c); /* out of memory: this client is sent away */
    go_fd_close(fd);
    go_semaphore_release(&s->slots, 1);
}

static void accept_run(void *arg)
{
    struct http_server *s = *(struct http_server **)arg;

    while (go_semaphore_acquire(&s->slots, 1, go_with(s->ctx)) == 0) {
        go_fd fd = go_accept(s->listener, GO_FOREVER);

        if (fd >= 0) {
            connection_start(s, fd);
            continue;
        }
        go_semaphore_release(&s->slots, 1);
        if (fd == -EBADF)
            break;
        go_sleep(
            go_both(go_after_ms(10), s->ctx)); /* no descriptors or no memory left: some will come back */
    }
}

/* ---- the server ---- */

struct http_server *http_server_new(void)
{
    struct http_server *s = calloc(1, sizeof *s);

    if (!s || !(s->ctx = go_ctx_new(go_ctx_background()))) {
        free(s);
        return NULL;
    }
    s->slots.size = HTTP_CONNECTIONS_MAX;
    s->listener = -1;
    return s;
}

int http_server_route(struct http_server *s, const char *path, struct http_handler handler)
{
    if (s->routes_n == HTTP_ROUTES_MAX)
        return -ENOSPC;
    s->routes[s->routes_n++] = (struct route){path, handler};
    return 0;
}

int http_server_start(struct http_server *s, const char *host, const char *port)
{
    int r;

    s->listener = go_listen(host, port);
    if (s->listener < 0)
        return (int)s->listener;
    r = go_waitgroup_go(&s->goroutines, accept_run, &s, sizeof s);
    if (r < 0)
        http_server_stop(s);
    return r;
}

int http_server_port(const struct http_server *s)
{
    struct sockaddr_in6 address = {0};
    socklen_t bytes = sizeof address;

    getsockname(go_fd_number(s->listener), (struct sockaddr *)&address, &bytes);
    return ntohs(address.sin6_port); /* at the same place in both families */
}

void http_server_stop(struct http_server *s)
{
    if (s->listener >= 0)
        go_fd_close(s->listener);
    go_ctx_cancel(s->ctx, 0, NULL);
    go_waitgroup_wait(&s->goroutines);
    s->listener = -1; /* not before: accept_run reads it to its end */
}

void http_server_delete(struct http_server *s)
{
    if (s)
        go_ctx_unref(s->ctx);
    free(s);
}
