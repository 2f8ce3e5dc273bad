/*
 * httpd DIR [PORT]: serves the files of a folder on this machine, for linkcheck and for trying things out. Prints its
 * address, then a line for each request when its answer was made: "GET /p1.html 200 75". SIGTERM stops it: requests
 * that run finish. A port in use is an error, and the exit status is 1.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "http/middleware.h"
#include "program.h"

struct site {
    const char *folder;
    go_mutex print;
};

/* Adds what the file holds to the response. */
static int response_add_file(struct http_response *response, go_fd fd)
{
    ssize_t n = 1;

    while (n > 0 && response->body_bytes <= HTTP_BODY_BYTES_MAX) {
        response->body = must_realloc(response->body, response->body_bytes + BLOCK_BYTES);
        n = go_read(fd, response->body + response->body_bytes, BLOCK_BYTES, GO_FOREVER);
        response->body_bytes += n > 0 ? (size_t)n : 0;
    }
    return n < 0 ? (int)n : n > 0 ? -EFBIG : 0;
}

static void serve_file(void *arg, const struct http_request *request, struct http_response *response)
{
    const struct site *site = arg;
    char *path;
    go_fd fd = -ENOENT;

    if (asprintf(&path, "%s%s", site->folder, request->path) < 0)
        go_panic("no memory for a path");
    if (!strstr(request->path, ".."))
        fd = file_open(path);
    free(path);
    if (fd < 0 || response_add_file(response, fd) < 0)
        http_reply(response, 404, "not found");
    if (fd >= 0)
        go_fd_close(fd);
}

static void print_line(void *arg, const char *line)
{
    struct site *site = arg;

    go_mutex_lock(&site->print);
    puts(line);
    fflush(stdout);
    go_mutex_unlock(&site->print);
}

static void serve_until_told(struct http_server *server)
{
    go_ctx *ctx = signal_ctx(SIGTERM);

    printf("http://127.0.0.1:%d/\n", http_server_port(server));
    fflush(stdout);
    go_ctx_wait(ctx, GO_FOREVER);
    http_server_stop(server);
    go_ctx_unref(ctx);
}

static int httpd(const struct program *p)
{
    struct site site = {.folder = p->operands[0]};
    struct http_logging logged = {{serve_file, &site}, print_line, &site};
    struct http_server *server = http_server_new();
    int r;

    if (!server || http_server_route(server, "/*", http_logging(&logged)) < 0)
        go_panic("no memory for a server");
    r = http_server_start(server, "127.0.0.1", p->operands_n > 1 ? p->operands[1] : "0");
    if (r < 0)
        program_error(p->operands_n > 1 ? p->operands[1] : "a free port", r);
    else
        serve_until_told(server);
    http_server_delete(server);
    return r < 0 ? STATUS_FAILED : STATUS_OK;
}

int main(int argc, char **argv)
{
    signal_block(SIGTERM);
    return program_main(argc, argv, "DIR [PORT]", NULL, httpd);
}
