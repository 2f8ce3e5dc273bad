/* Named channels of a goroutined. WHERE is its endpoint; the lane is that of the environment. */
#include "ours.h"

enum { CAPACITY = 16 * BATCH };

gc_client *g;
struct gc_value value;
static gc_chan there, back;

void check(int r, const char *what)
{
    if (r < 0)
        errx(1, "%s: %s (%s)", what, gc_strerror(r), gc_why());
}

gc_chan open_chan(const char *name, uint64_t capacity)
{
    gc_chan c;

    check(gc_make(g, name, capacity, &c, GC_FOREVER), name);
    return c;
}

void begin(const char *where, size_t bytes)
{
    struct gc_options options = {.size = sizeof options, .endpoint = where};
    char why[GC_WHY_BYTES];
    void *body = calloc(1, bytes + 1);

    if (gc_connect(&options, &g, why) < 0)
        errx(1, "%s", why);
    value = gc_bytes(body, bytes);
}

/* ---- many at once ---- */

static void produce(const char *where, size_t bytes)
{
    struct gc_value values[BATCH];

    begin(where, bytes);
    gc_chan c = open_chan(run_name("bench.stream"), CAPACITY);
    for (int i = 0; i < BATCH; i++)
        values[i] = value;
    ready();
    for (;;)
        check(gc_send_many(g, c, values, BATCH, GC_FOREVER), "send");
}

static void consume(const char *where, size_t bytes)
{
    struct gc_value values[BATCH];

    begin(where, bytes);
    gc_chan c = open_chan(run_name("bench.stream"), CAPACITY);
    ready();
    for (;;) {
        int n = gc_recv_many(g, c, values, BATCH, 0, GC_FOREVER);
        check(n, "receive");
        *received += (uint64_t)n;
        for (int i = 0; i < n; i++)
            gc_value_clear(&values[i]);
    }
}

/* ---- one value per call ---- */

static void produce_single(const char *where, size_t bytes)
{
    begin(where, bytes);
    gc_chan c = open_chan(run_name("bench.single"), CAPACITY);
    ready();
    for (;;)
        check(gc_send(g, c, value, GC_FOREVER), "send");
}

static void consume_single(const char *where, size_t bytes)
{
    struct gc_value v;

    begin(where, bytes);
    gc_chan c = open_chan(run_name("bench.single"), CAPACITY);
    ready();
    for (;;) {
        check(gc_recv(g, c, &v, 0, GC_FOREVER), "receive");
        gc_value_clear(&v);
        ++*received;
    }
}

/* ---- there and back ---- */

static void begin_echo(const char *where, size_t bytes)
{
    begin(where, bytes);
    there = open_chan(run_name("bench.there"), 1);
    back = open_chan(run_name("bench.back"), 1);
}

static void echo(const char *where, size_t bytes)
{
    struct gc_value v;

    begin_echo(where, bytes);
    ready();
    while (gc_recv(g, there, &v, 0, GC_FOREVER) == 1) {
        check(gc_send(g, back, v, GC_FOREVER), "send back");
        gc_value_clear(&v);
    }
}

static void ask(void)
{
    struct gc_value v;

    check(gc_send(g, there, value, GC_FOREVER), "send");
    check(gc_recv(g, back, &v, 0, GC_FOREVER), "receive");
    gc_value_clear(&v);
}

/* ---- there and back, what comes being fetched ahead ---- */

enum { WINDOW = 16 };

static gc_window *fetched;

static void begin_windowed(const char *where, size_t bytes, const char *to, const char *from)
{
    begin(where, bytes);
    there = open_chan(run_name(to), WINDOW);
    back = open_chan(run_name(from), WINDOW);
    check(gc_window_open(g, back, WINDOW, &fetched, GC_FOREVER), "window");
}

static void ask_windowed(void)
{
    static struct gc_value v;

    check(gc_send(g, there, value, GC_FOREVER), "send");
    check(gc_window_range(fetched, &v, 0, GC_FOREVER), "receive");
}

static void echo_windowed(const char *where, size_t bytes)
{
    struct gc_value v = {0};

    begin_windowed(where, bytes, "bench.back", "bench.there");
    ready();
    while (gc_window_range(fetched, &v, 0, GC_FOREVER) == 1)
        check(gc_send(g, there, v, GC_FOREVER), "send back");
}

static void begin_asking_windowed(const char *where, size_t bytes)
{
    begin_windowed(where, bytes, "bench.there", "bench.back");
}

static void ask_server(void)
{
    check(gc_ping(g, GC_FOREVER), "ping");
}

const struct peer ours = {
    .name = "ours", .produce = produce, .consume = consume, .echo = echo, .begin = begin_echo, .ask = ask};
const struct peer ours_single = {.name = "single", .produce = produce_single, .consume = consume_single};
const struct peer ours_windowed = {
    .name = "windowed", .echo = echo_windowed, .begin = begin_asking_windowed, .ask = ask_windowed};
const struct peer ping = {.name = "ping", .begin = begin, .ask = ask_server};
