/*
 * The trace as Chrome's JSON, which Perfetto and chrome://tracing open: one track per goroutine with slices "running",
 * "ready" and "blocked: reason", marks for creates and ends, and an arrow from each send to its receive.
 *
 * Two passes: by goroutine and time for the slices, by channel and time for the arrows of buffered values. What the pieces
 * of a slice have in common is that one ends where the next begins, so every block has its unblock; those that are open at
 * the end are closed there and say so.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dump.h"
#include "goroutine_inspect.h"
#include "symbol.h"
#include "trace.h"

enum { OUT_BYTES = 1 << 16, LINE_BYTES = 512 };

struct writer {
    int fd, r;
    char *out;
    size_t n;
    int64_t begin_ns, end_ns;
    uint64_t links;
    bool first;
};

static void flush(struct writer *w)
{
    if (w->r == 0)
        w->r = fd_write(w->fd, w->out, w->n);
    w->n = 0;
}

/* One object of the list; the format is without its braces. */
__attribute__((format(printf, 2, 3))) static void put(struct writer *w, const char *format, ...)
{
    va_list args;

    if (w->n + LINE_BYTES > OUT_BYTES)
        flush(w);
    w->n += (size_t)snprintf(w->out + w->n, LINE_BYTES, "%s{\"pid\":1,", w->first ? "" : ",\n");
    w->first = false;
    va_start(args, format);
    w->n += (size_t)vsnprintf(w->out + w->n, LINE_BYTES - 64, format, args);
    va_end(args);
    w->out[w->n++] = '}';
}

/* Microseconds since the start: "12.345". */
struct when {
    char text[32];
};

static struct when when(const struct writer *w, int64_t ns)
{
    struct when t;
    int64_t since = ns > w->begin_ns ? ns - w->begin_ns : 0;

    snprintf(t.text, sizeof t.text, "%lld.%03d", (long long)(since / 1000), (int)(since % 1000));
    return t;
}

/* ---- slices ---- */

struct track {
    uint64_t g;
    enum { GONE, READY, RUNNING, BLOCKED } state;
    int64_t since_ns;
    const char *reason;
    bool woken;        /* before it had blocked, */
    uint64_t woken_by; /* by this one; 0: by no goroutine */
    short processor;
};

static void slice_end(struct writer *w, struct track *t, int64_t ns, const char *more)
{
    struct when from = when(w, t->since_ns), length;

    snprintf(length.text, sizeof length.text, "%lld.%03d", (long long)((ns - t->since_ns) / 1000),
             (int)((ns - t->since_ns) % 1000));
    if (t->state == RUNNING)
        put(w,
            "\"ph\":\"X\",\"name\":\"running\",\"tid\":%llu,\"ts\":%s,\"dur\":%s,\"args\":{\"processor\":%d%"
            "s}",
            (unsigned long long)t->g, from.text, length.text, t->processor, more);
    else if (t->state == READY)
        put(w, "\"ph\":\"X\",\"name\":\"ready\",\"tid\":%llu,\"ts\":%s,\"dur\":%s", (unsigned long long)t->g,
            from.text, length.text);
    else if (t->state == BLOCKED)
        put(w, "\"ph\":\"X\",\"name\":\"blocked: %s\",\"tid\":%llu,\"ts\":%s,\"dur\":%s,\"args\":{%s}",
            t->reason, (unsigned long long)t->g, from.text, length.text, more[0] == ',' ? more + 1 : more);
}

static void enter(struct writer *w, struct track *t, int state, int64_t ns, const char *more)
{
    slice_end(w, t, ns, more);
    t->state = state;
    t->since_ns = ns;
}

static void mark(struct writer *w, uint64_t g, const char *name, int64_t ns, uint64_t other)
{
    struct when at = when(w, ns);

    put(w, "\"ph\":\"i\",\"s\":\"t\",\"name\":\"%s\",\"tid\":%llu,\"ts\":%s,\"args\":{\"goroutine\":%llu}",
        name, (unsigned long long)g, at.text, (unsigned long long)other);
}

static void track_begin(struct writer *w, struct track *t, const struct trace_event *e)
{
    struct symbol s = {.name = ""};
    const char *name = e->name;

    *t = (struct track){.g = e->g, .since_ns = e->ns, .state = READY, .reason = ""};
    if (!name[0] && (e->kind == TRACE_CREATE || e->state != GO_STATE_PARKED)) {
        symbol_find(e->what, &s);
        name = s.name;
    }
    put(w, "\"ph\":\"M\",\"name\":\"thread_name\",\"tid\":%llu,\"args\":{\"name\":\"%llu %s\"}",
        (unsigned long long)e->g, (unsigned long long)e->g, name);
    if (e->kind == TRACE_CREATE) {
        mark(w, e->other, "create", e->ns, e->g);
    } else if (e->kind == TRACE_THERE && e->state == GO_STATE_PARKED) {
        t->state = BLOCKED;
        t->reason = e->what;
    } else if (e->kind == TRACE_THERE && e->state == GO_STATE_RUNNING) {
        t->state = RUNNING;
        t->processor = -1;
    }
}

static void wake(struct writer *w, struct track *t, int64_t ns)
{
    char waker[48] = "";

    if (t->woken_by)
        snprintf(waker, sizeof waker, ",\"woken_by\":%llu", (unsigned long long)t->woken_by);
    enter(w, t, READY, ns, waker);
    t->woken = false;
}

/* Its waker, on another processor, may have come first. */
static void track_block(struct writer *w, struct track *t, const struct trace_event *e)
{
    enter(w, t, BLOCKED, e->ns, "");
    t->reason = e->what;
    if (t->woken)
        wake(w, t, e->ns);
}

static void track_wake(struct writer *w, struct track *t, const struct trace_event *e)
{
    t->woken = true;
    t->woken_by = e->other;
    if (t->state == BLOCKED)
        wake(w, t, e->ns);
}

static void track_event(struct writer *w, struct track *t, const struct trace_event *e)
{
    switch ((enum trace_kind)e->kind) {
    case TRACE_BEGIN:
        enter(w, t, RUNNING, e->ns, "");
        t->processor = e->processor;
        t->woken = false;
        break;
    case TRACE_BLOCK:
        track_block(w, t, e);
        break;
    case TRACE_YIELD:
        enter(w, t, READY, e->ns, "");
        break;
    case TRACE_WAKE:
        track_wake(w, t, e);
        break;
    case TRACE_END:
        enter(w, t, GONE, e->ns, "");
        mark(w, t->g, "end", e->ns, t->g);
        break;
    case TRACE_THERE:
    case TRACE_CREATE:
    case TRACE_PASS:
    case TRACE_PUT:
    case TRACE_TAKE:
        break;
    }
}

static void tracks(struct writer *w, const struct trace_event *events, size_t n)
{
    struct track t = {.g = 0, .reason = ""};

    for (size_t i = 0; i < n; i++) {
        const struct trace_event *e = &events[i];

        if (e->kind >= TRACE_PASS)
            continue;
        if (e->g != t.g) {
            slice_end(w, &t, w->end_ns, ",\"open\":true");
            track_begin(w, &t, e);
        }
        track_event(w, &t, e);
    }
    slice_end(w, &t, w->end_ns, ",\"open\":true");
}

/* ---- arrows ---- */

static void arrow(struct writer *w, uint64_t from, int64_t from_ns, uint64_t to, int64_t to_ns)
{
    struct when sent = when(w, from_ns), received = when(w, to_ns);
    unsigned long long id = ++w->links;

    if (!from || !to)
        return;
    put(w, "\"ph\":\"s\",\"cat\":\"value\",\"name\":\"value\",\"id\":%llu,\"tid\":%llu,\"ts\":%s", id,
        (unsigned long long)from, sent.text);
    put(w,
        "\"ph\":\"f\",\"bp\":\"e\",\"cat\":\"value\",\"name\":\"value\",\"id\":%llu,\"tid\":%llu,\"ts\":%s",
        id, (unsigned long long)to, received.text);
}

/* Events of one channel in their order: `puts` are those not taken yet. A value that was there before the trace is taken
 * first, and has no arrow. */
static void arrows_of(struct writer *w, const struct trace_event *events, size_t n, size_t *puts)
{
    size_t first = 0, last = 0;

    for (size_t i = 0; i < n; i++) {
        const struct trace_event *e = &events[i];

        if (e->kind == TRACE_PUT) {
            puts[last++] = i;
            continue;
        }
        while (last - first > e->other)
            first++; /* its take was dropped */
        if (last - first == e->other && first < last) {
            arrow(w, events[puts[first]].g, events[puts[first]].ns, e->g, e->ns);
            first++;
        }
    }
}

static int arrows(struct writer *w, const struct trace_event *events, size_t n)
{
    size_t *puts = malloc((n + 1) * sizeof *puts);
    size_t end;

    if (!puts)
        return -ENOMEM;
    for (size_t i = 0; i < n; i = end) {
        end = i + 1;
        if (events[i].kind == TRACE_PASS)
            arrow(w, events[i].other, events[i].ns, events[i].g, events[i].ns);
        if (events[i].kind < TRACE_PUT)
            continue;
        while (end < n && events[end].kind >= TRACE_PUT && events[end].what == events[i].what)
            end++;
        arrows_of(w, events + i, end - i, puts);
    }
    free(puts);
    return 0;
}

/* ---- orders ---- */

static int by_time(const struct trace_event *x, const struct trace_event *y)
{
    return x->ns != y->ns ? (x->ns > y->ns) - (x->ns < y->ns) : (x->kind > y->kind) - (x->kind < y->kind);
}

static int by_goroutine(const void *a, const void *b)
{
    const struct trace_event *x = a, *y = b;

    return x->g != y->g ? (x->g > y->g) - (x->g < y->g) : by_time(x, y);
}

static const void *channel_of(const struct trace_event *e)
{
    return e->kind >= TRACE_PUT ? e->what : NULL;
}

static int by_channel(const void *a, const void *b)
{
    const struct trace_event *x = a, *y = b;
    uintptr_t c = (uintptr_t)channel_of(x), d = (uintptr_t)channel_of(y);

    return c != d ? (c > d) - (c < d) : by_time(x, y);
}

int trace_write(struct trace_event *events, size_t n, int64_t begin_ns, int64_t end_ns, uint64_t dropped,
                int fd)
{
    struct writer w = {
        .fd = fd, .out = malloc(OUT_BYTES), .begin_ns = begin_ns, .end_ns = end_ns, .first = true};
    int r;

    if (!w.out)
        return -ENOMEM;
    w.r = fd_print(fd, "{\"displayTimeUnit\":\"ns\",\"otherData\":{\"dropped\":\"%llu\"},\"traceEvents\":[\n",
                   (unsigned long long)dropped);
    put(&w, "\"ph\":\"M\",\"name\":\"process_name\",\"tid\":0,\"args\":{\"name\":\"goroutines\"}");
    qsort(events, n, sizeof *events, by_goroutine);
    tracks(&w, events, n);
    qsort(events, n, sizeof *events, by_channel);
    r = arrows(&w, events, n);
    flush(&w);
    free(w.out);
    if (w.r == 0)
        w.r = fd_print(fd, "\n]}\n");
    return r ? r : w.r;
}
