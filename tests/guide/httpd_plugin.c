/*
 * An HTTP server as a job, for rows of ROWS.md in form C: "/" is answered at once, "/slow" when the channel "http.gate" is
 * closed, "/page" with a page of a known size.
 *
 * serve PORT    Serves until the channel "http.stop" is closed; then running requests finish. Its output is the port.
 */
#include <errno.h>
#include <string.h>

#include "goclient.h"
#include "goplugin.h"
#include "http/server.h"

enum { PAGE_BYTES = 12345 };

static void serve_hello(void *unused, const struct http_request *request, struct http_response *response)
{
    http_reply(response, 200, "Hello, World!");
}

static void serve_page(void *unused, const struct http_request *request, struct http_response *response)
{
    http_reply(response, 200, "%0*d", PAGE_BYTES, 0);
}

/* Until the channel is closed; 0 or a negative errno value. */
static int wait_closed(gc_client *g, const char *name)
{
    struct gc_value v = {0};
    gc_chan c;
    int r = gc_open(g, name, NULL, &c, GC_FOREVER);

    if (r == 0)
        r = gc_recv(g, c, &v, 0, GC_FOREVER);
    gc_value_clear(&v);
    return r;
}

static void serve_slow(void *g, const struct http_request *request, struct http_response *response)
{
    if (wait_closed(g, "http.gate") == 0)
        http_reply(response, 200, "Slow operation completed!");
    else
        http_reply(response, 500, "no gate");
}

static int serve_until_stopped(gp_job *job, struct http_server *server)
{
    const char *port = gp_argument(job).data; /* a zero byte is behind it */
    int r = http_server_route(server, "/", (struct http_handler){serve_hello, NULL});

    if (r == 0)
        r = http_server_route(server, "/page", (struct http_handler){serve_page, NULL});
    if (r == 0)
        r = http_server_route(server, "/slow", (struct http_handler){serve_slow, gp_client(job)});
    if (r == 0)
        r = http_server_start(server, "127.0.0.1", port);
    if (r < 0)
        return gp_fail(job, r, "cannot serve: %s", strerror(-r));
    gp_print(job, "%d\n", http_server_port(server));
    r = wait_closed(gp_client(job), "http.stop");
    http_server_stop(server);
    gp_print(job, "stopped\n");
    return r;
}

static int serve(gp_job *job)
{
    struct http_server *server = http_server_new();
    int r = server ? serve_until_stopped(job, server) : -ENOMEM;

    http_server_delete(server);
    return r;
}

GP_PLUGIN("guide_httpd", "1.0", {"serve", "an HTTP server", serve});
