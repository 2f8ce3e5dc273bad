/*
 * events: a program with an event loop of its own, and no threads. Its lines go to the channel `lines`, what comes on `news`
 * is printed, both at once; ends when `news` is closed.
 *
 *     go func() {
 *         for in.Scan() {
 *             lines <- in.Text()
 *         }
 *     }()
 *     for n := range news {
 *         fmt.Println(n)
 *     }
 */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "goclient_chan.h"

enum { DISPATCH_MS = 1000, LINE_BYTES = 4096 };

static gc_chan lines, news;
static int loop;      /* of epoll */
static bool finished; /* `news` is closed */

static char text[LINE_BYTES]; /* read and not sent yet */
static size_t text_bytes;
static bool sending, end_of_input;

static void watch_input(bool on)
{
    struct epoll_event event = {.events = EPOLLIN, .data.fd = STDIN_FILENO};

    epoll_ctl(loop, on ? EPOLL_CTL_ADD : EPOLL_CTL_DEL, STDIN_FILENO, &event);
}

static void line_sent(gc_client *g, struct gc_end *end, void *arg);

/* One line at a time: while nobody takes it, no more is read. */
static void send_line(gc_client *g)
{
    char *end = memchr(text, '\n', text_bytes);
    bool rest = !end && text_bytes && (end_of_input || text_bytes == sizeof text);
    size_t size = end ? (size_t)(end - text) : text_bytes, used = end ? size + 1 : size;

    if (sending || (!end && !rest))
        return;
    if (gc_start_send(g, lines, gc_bytes(text, size), line_sent, NULL, NULL, GC_FOREVER) < 0)
        errx(1, "%s", gc_why());
    sending = true;
    text_bytes -= used;
    memmove(text, text + used, text_bytes);
}

static void line_sent(gc_client *g, struct gc_end *end, void *arg)
{
    if (end->index < 0)
        errx(1, "%s", gc_why());
    sending = false;
    send_line(g);
    if (!sending && !end_of_input)
        watch_input(true);
}

static void read_lines(gc_client *g)
{
    ssize_t n = read(STDIN_FILENO, text + text_bytes, sizeof text - text_bytes);

    end_of_input = n <= 0;
    text_bytes += n > 0 ? (size_t)n : 0;
    send_line(g);
    if (sending || end_of_input)
        watch_input(false);
}

static void print_news(gc_client *g, struct gc_end *end, void *arg)
{
    finished = end->index < 0 || end->status == 0;
    if (!finished)
        printf("%.*s\n", (int)end->value.size, (const char *)end->value.data);
    fflush(stdout);
    gc_value_clear(&end->value);
    if (!finished && gc_start_recv(g, news, 0, print_news, NULL, NULL, GC_FOREVER) < 0)
        errx(1, "%s", gc_why());
}

static void run(gc_client *g)
{
    struct epoll_event event = {.events = EPOLLIN, .data.fd = gc_fd(g)};

    epoll_ctl(loop, EPOLL_CTL_ADD, gc_fd(g), &event);
    watch_input(true);
    gc_start_recv(g, news, 0, print_news, NULL, NULL, GC_FOREVER);
    while (!finished) {
        int n = epoll_wait(loop, &event, 1, DISPATCH_MS);

        if (n == 1 && event.data.fd == STDIN_FILENO)
            read_lines(g);
        else
            gc_dispatch(g, GC_NOW);
    }
}

int main(void)
{
    struct gc_options options = {.size = sizeof options, .flags = GC_NO_THREAD};
    char why[GC_WHY_BYTES];
    gc_client *g;

    if (gc_connect(&options, &g, why) < 0)
        errx(1, "%s", why);
    if (gc_open(g, "lines", NULL, &lines, GC_FOREVER) < 0 || gc_open(g, "news", NULL, &news, GC_FOREVER) < 0)
        errx(1, "%s", gc_why());
    loop = epoll_create1(EPOLL_CLOEXEC);
    run(g);
    gc_disconnect(g);
    return EXIT_SUCCESS;
}
