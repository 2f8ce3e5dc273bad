/* Commands that say what will not go on: deadlocks, leaks. What is proven stands apart from what is suspected. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "inspect.h"
#include "options.h"
#include "session.h"
#include "status.h"

#define AGE_DEFAULT_NS (INT64_C(10) * 1000000000)

static int64_t suspect_age(const struct options *options)
{
    return options->age_ns ? options->age_ns : AGE_DEFAULT_NS;
}

/* One word for what a row says. */
static const char *report_of(const struct gc_parked *row)
{
    return row->flags & GC_PROVEN   ? "proven"
           : row->flags & GC_CLOSED ? "closed"
           : row->flags & GC_UNUSED ? "unused"
                                    : "suspected";
}

static json_t *report_json(const struct gc_parked *row)
{
    json_t *object = row->flags & (GC_CLOSED | GC_UNUSED)
                         ? json_pack("{s:s, s:s, s:I}", "kind", row->kind, "object", row->object, "uid",
                                     (json_int_t)row->uid)
                         : parked_json(row);

    if (!object)
        return NULL;
    json_object_set_new(object, "report", json_string(report_of(row)));
    if (row->flags & GC_CLOSED) {
        json_object_set_new(object, "session", json_integer((json_int_t)row->session));
        json_object_set_new(object, "pid", json_integer(row->pid));
        json_object_set_new(object, "program", json_string(row->program));
    }
    if (row->flags & GC_PROVEN) {
        json_object_set_new(object, "group", json_integer((json_int_t)row->group));
        json_object_set_new(object, "named", json_boolean(row->flags & GC_NAMED));
    }
    return object;
}

static void report_line(const struct gc_parked *row)
{
    if (row->flags & GC_UNUSED)
        printf("%s: %s\n", *row->object ? row->object : "a channel without a name", row->reason);
    else if (row->flags & GC_CLOSED)
        printf("%7" PRIu64 " %8d %5" PRIu32 " %-15s %s\n", row->session, row->pid, row->uid, row->program,
               *row->object ? row->object : "a channel without a name");
    else
        parked_line(row);
}

static int say(const struct options *options, const struct gc_parked *row)
{
    if (options->json)
        return output_json(report_json(row));
    report_line(row);
    return 0;
}

static int by_group(const void *a, const void *b)
{
    const struct gc_parked *x = a, *y = b;

    if (x->group != y->group)
        return x->group < y->group ? -1 : 1;
    return (x->age_ns < y->age_ns) - (x->age_ns > y->age_ns);
}

static size_t group_size(const struct gc_parked_page *page, size_t first)
{
    size_t n = 0;

    while (first + n < page->n && page->items[first + n].group == page->items[first].group)
        n++;
    return n;
}

static void say_group(const struct gc_parked *row, size_t n)
{
    const char *who = n == 1 ? "1 operation waits for itself" : "operations wait for each other";

    printf("proven: ");
    if (n > 1)
        printf("%zu ", n);
    printf("%s; %s\n", who,
           row->flags & GC_NAMED ? "only somebody new, who opens a channel by its name, could end that"
                                 : "nobody can end that");
}

/* The rows that are proven, group by group. */
static int say_proven(const struct options *options, struct gc_parked_page *page)
{
    int r = 0;

    if (page->n)
        qsort(page->items, page->n, sizeof *page->items, by_group);
    for (size_t first = 0, n; first < page->n && r >= 0; first += n) {
        n = group_size(page, first);
        if (!options->json)
            say_group(&page->items[first], n);
        for (size_t i = first; i < first + n && r >= 0; i++)
            r = say(options, &page->items[i]);
    }
    return r;
}

static bool is_in(const struct gc_parked_page *page, const struct gc_parked *row)
{
    for (size_t i = 0; i < page->n; i++)
        if (page->items[i].session == row->session && page->items[i].op == row->op)
            return true;
    return false;
}

/* It has a deadline, or waits for work as hosts always do: no reason to suspect anything. */
static bool is_harmless(const struct gc_parked *row)
{
    return row->left_ns || !strcmp(row->kind, "host");
}

static int say_suspected(struct session *session, const struct gc_parked_page *proven)
{
    struct gc_parked_filter filter = {.size = sizeof filter, .age_ns = suspect_age(session->options)};
    struct gc_parked_page page;
    bool more = true;
    int r = 0;

    while (more && r >= 0) {
        r = gc_parked(session->client, &filter, &page, session_patience(session));
        if (r < 0)
            return r;
        for (size_t i = 0; i < page.n && r >= 0; i++)
            if (!is_harmless(&page.items[i]) && !is_in(proven, &page.items[i]))
                r = say(session->options, &page.items[i]);
        more = page.more;
        memcpy(filter.next_, page.next_, sizeof filter.next_);
        gc_parked_page_clear(&page);
    }
    return r;
}

static void title(const struct options *options, const char *text)
{
    if (!options->json)
        puts(text);
}

static int deadlocks(struct session *session)
{
    struct gc_parked_page proven;
    int r = gc_deadlocks(session->client, 0, &proven, session_patience(session));

    if (r < 0)
        return session_fail(r, "deadlocks");
    title(session->options, PARKED_TITLE);
    r = say_proven(session->options, &proven);
    if (r >= 0 && proven.more)
        title(session->options, "… and more that are proven");
    title(session->options, "suspected, because they have waited for so long:");
    if (r >= 0)
        r = say_suspected(session, &proven);
    gc_parked_page_clear(&proven);
    if (r < 0)
        return session_fail(r, "deadlocks");
    r = output_flush();
    return r < 0 ? output_fail(r) : STATUS_OK;
}

static int leaks(struct session *session)
{
    static const struct {
        const char *report, *title;
    } parts[] = {{"proven", "proven: nobody will ever end these waits"},
                 {"suspected", "suspected, because they have waited for so long where nobody else is:"},
                 {"closed", "sessions that hold a channel which is closed and drained:"},
                 {"unused", "channels that nobody has open:"}};
    struct gc_parked_page page;
    int r = gc_leaks(session->client, suspect_age(session->options), 0, &page, session_patience(session));

    if (r < 0)
        return session_fail(r, "leaks");
    for (size_t part = 0; part < sizeof parts / sizeof *parts; part++) {
        title(session->options, parts[part].title);
        for (size_t i = 0; i < page.n && r >= 0; i++)
            if (!strcmp(report_of(&page.items[i]), parts[part].report))
                r = say(session->options, &page.items[i]);
    }
    if (page.more)
        title(session->options, "… and more");
    gc_parked_page_clear(&page);
    r = r < 0 ? r : output_flush();
    return r < 0 ? output_fail(r) : STATUS_OK;
}

int command_deadlocks(const struct options *options)
{
    struct session session;
    int status = session_open(&session, options);

    return status == STATUS_OK ? session_close(&session, deadlocks(&session)) : status;
}

int command_leaks(const struct options *options)
{
    struct session session;
    int status = session_open(&session, options);

    return status == STATUS_OK ? session_close(&session, leaks(&session)) : status;
}
