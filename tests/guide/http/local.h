/* A server on a free port of this machine, and requests to it, for the rows. */
#pragma once

#include <stdio.h>

#include "client.h"
#include "guide.h"
#include "server.h"

/* Of one request: the text of the answer, and its status or a negative errno value. */
struct got {
    int status;
    char text[128];
};

/* Started, with one route. */
static inline struct http_server *local_start(const char *path, struct http_handler handler)
{
    struct http_server *server = http_server_new();

    must(server && http_server_route(server, path, handler) == 0);
    must(http_server_start(server, "127.0.0.1", "0") == 0);
    return server;
}

static inline void local_stop(struct http_server *server)
{
    http_server_stop(server);
    http_server_delete(server);
}

static inline struct got local_get_until(int port, const char *path, go_until until)
{
    struct http_answer answer;
    struct got got = {0};
    char url[128];

    snprintf(url, sizeof url, "http://127.0.0.1:%d%s", port, path);
    got.status = http_get(url, &answer, until);
    if (got.status == 0)
        got.status = answer.status;
    if (answer.body)
        snprintf(got.text, sizeof got.text, "%s", answer.body);
    http_answer_free(&answer);
    return got;
}

static inline struct got local_get(int port, const char *path)
{
    return local_get_until(port, path, GO_FOREVER);
}

static inline bool got_is(struct got got, int status, const char *text)
{
    return got.status == status && strcmp(got.text, text) == 0;
}
