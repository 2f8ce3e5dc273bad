#include "client.h"

#include <errno.h>
#include <http_parser.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "goroutine_net.h"

enum { BUFFER_BYTES = 16384, PORT_BYTES = 8 };

struct target {
    char host[HTTP_GET_URL_BYTES_MAX], port[PORT_BYTES];
    char request[2 * HTTP_GET_URL_BYTES_MAX + 64];
    int request_bytes;
};

struct exchange {
    go_fd fd;
    struct target target;
    http_parser parser;
    char buffer[BUFFER_BYTES];
    struct http_answer *answer;
    bool complete, too_large;
};

/* ---- the address ---- */

static bool has(const struct http_parser_url *u, enum http_parser_url_fields field)
{
    return u->field_set & 1 << field;
}

static int target_parse(struct target *t, const char *url)
{
    size_t bytes = strlen(url), path_at, end;
    struct http_parser_url u;

    http_parser_url_init(&u);
    if (bytes >= HTTP_GET_URL_BYTES_MAX || http_parser_parse_url(url, bytes, false, &u) != 0 ||
        strncmp(url, "http://", 7) != 0 || !has(&u, UF_HOST) || has(&u, UF_USERINFO))
        return -EINVAL;
    snprintf(t->host, sizeof t->host, "%.*s", u.field_data[UF_HOST].len, url + u.field_data[UF_HOST].off);
    snprintf(t->port, sizeof t->port, "%u", has(&u, UF_PORT) ? u.port : 80u);
    path_at = has(&u, UF_PATH) ? u.field_data[UF_PATH].off : bytes;
    end = has(&u, UF_FRAGMENT) ? u.field_data[UF_FRAGMENT].off - 1u : bytes;
    t->request_bytes = snprintf(t->request, sizeof t->request,
                                "GET %s%.*s HTTP/1.1\r\nHost: %s:%s\r\nConnection: close\r\n\r\n",
                                path_at == bytes ? "/" : "", (int)(end > path_at ? end - path_at : 0),
                                url + path_at, t->host, t->port);
    return 0;
}

/* ---- the answer ---- */

static int on_body(http_parser *parser, const char *at, size_t bytes)
{
    struct exchange *x = parser->data;
    struct http_answer *a = x->answer;
    char *body = NULL;

    if (bytes <= HTTP_GET_BODY_BYTES_MAX - a->body_bytes)
        body = realloc(a->body, a->body_bytes + bytes + 1);
    x->too_large = !body;
    if (!body)
        return -1;
    memcpy(body + a->body_bytes, at, bytes);
    a->body = body;
    a->body_bytes += bytes;
    body[a->body_bytes] = '\0';
    return 0;
}

static int on_complete(http_parser *parser)
{
    struct exchange *x = parser->data;

    x->answer->status = parser->status_code;
    x->complete = true;
    return 0;
}

static const http_parser_settings settings = {.on_body = on_body, .on_message_complete = on_complete};

/* Until the answer is complete; some end only with the connection. */
static int answer_read(struct exchange *x, go_until until)
{
    http_parser_init(&x->parser, HTTP_RESPONSE);
    x->parser.data = x;
    while (!x->complete) {
        ssize_t n = go_read(x->fd, x->buffer, sizeof x->buffer, until);

        if (n < 0)
            return (int)n;
        http_parser_execute(&x->parser, &settings, x->buffer, (size_t)n);
        if (x->too_large)
            return -EMSGSIZE;
        if (HTTP_PARSER_ERRNO(&x->parser) != HPE_OK || (n == 0 && !x->complete))
            return -EPROTO;
    }
    return 0;
}

/* ---- one exchange ---- */

static int exchange_run(struct exchange *x, const char *url, go_until until)
{
    int r = target_parse(&x->target, url);
    ssize_t n;

    if (r < 0)
        return r;
    x->fd = go_dial(x->target.host, x->target.port, until);
    if (x->fd < 0)
        return (int)x->fd;
    n = go_write(x->fd, x->target.request, (size_t)x->target.request_bytes, until);
    return n < 0 ? (int)n : answer_read(x, until);
}

static void exchange_delete(struct exchange **x)
{
    if (*x && (*x)->fd >= 0)
        go_fd_close((*x)->fd);
    free(*x);
}

int http_get(const char *url, struct http_answer *answer, go_until until)
{
    __attribute__((cleanup(exchange_delete))) struct exchange *x = calloc(1, sizeof *x);
    int r;

    *answer = (struct http_answer){0};
    if (!x)
        return -ENOMEM;
    x->fd = -1;
    x->answer = answer;
    r = exchange_run(x, url, until);
    if (r < 0)
        http_answer_free(answer);
    return r;
}

void http_answer_free(struct http_answer *answer)
{
    free(answer->body);
    *answer = (struct http_answer){0};
}
