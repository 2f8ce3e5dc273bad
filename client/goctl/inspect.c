/* Commands that show who waits for what: dump. */
#include "inspect.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "goclient_inspect.h"
#include "options.h"
#include "output.h"
#include "quantity.h"
#include "session.h"
#include "status.h"

json_t *parked_json(const struct gc_parked *row)
{
    json_t *object =
        json_pack("{s:I, s:I, s:i, s:I, s:s, s:s, s:s, s:s, s:s, s:I}", "session", (json_int_t)row->session,
                  "op", (json_int_t)row->op, "pid", row->pid, "uid", (json_int_t)row->uid, "program",
                  row->program, "verb", row->verb, "reason", row->reason, "kind", row->kind, "object",
                  row->object, "age_ns", (json_int_t)row->age_ns);

    if (object && row->run)
        json_object_set_new(object, "run", json_integer((json_int_t)row->run));
    if (object && row->cases)
        json_object_set_new(object, "cases", json_integer((json_int_t)row->cases));
    if (object && row->left_ns)
        json_object_set_new(object, "left_ns", json_integer((json_int_t)row->left_ns));
    if (object && row->holder)
        json_object_set_new(object, "holder", json_integer((json_int_t)row->holder));
    return object;
}

void parked_line(const struct gc_parked *row)
{
    char age[DURATION_TEXT_BYTES], left[DURATION_TEXT_BYTES] = "-";

    if (row->left_ns)
        format_duration(row->left_ns, left);
    printf("%7" PRIu64 " %8d %5" PRIu32 " %-15s %6s %6s %-15s %s %s", row->session, row->pid, row->uid,
           row->program, format_duration(row->age_ns, age), left, row->reason, row->kind, row->object);
    if (row->run)
        printf(" (run %" PRIu64 ")", row->run);
    if (row->holder)
        printf(" (session %" PRIu64 " has it)", row->holder);
    putchar('\n');
}

static int by_age(const void *a, const void *b)
{
    int64_t x = ((const struct gc_parked *)a)->age_ns, y = ((const struct gc_parked *)b)->age_ns;

    return (x < y) - (x > y);
}

/* At most `most` rows of a page, the oldest first. */
static int print_parked(const struct options *options, struct gc_parked_page *page, uint64_t most)
{
    if (page->n)
        qsort(page->items, page->n, sizeof *page->items, by_age);
    for (size_t i = 0; i < page->n && i < most; i++) {
        int r = 0;

        if (options->json)
            r = output_json(parked_json(&page->items[i]));
        else
            parked_line(&page->items[i]);
        if (r < 0)
            return r;
    }
    return output_flush();
}

static int list_parked(struct session *session)
{
    const struct options *options = session->options;
    struct gc_parked_filter filter = {.size = sizeof filter,
                                      .session = options->session,
                                      .object = options->object,
                                      .age_ns = options->age_ns};
    uint64_t left = options->limit ? options->limit : UINT64_MAX;
    bool more = true;

    if (!options->json)
        puts(PARKED_TITLE);
    while (more && left) {
        struct gc_parked_page page = {0};
        int r = gc_parked(session->client, &filter, &page, session_patience(session));

        if (r < 0)
            return session_fail(r, "dump");
        r = print_parked(options, &page, left);
        more = page.more;
        left -= page.n < left ? page.n : left;
        memcpy(filter.next_, page.next_, sizeof filter.next_);
        gc_parked_page_clear(&page);
        if (r < 0)
            return output_fail(r);
    }
    return STATUS_OK;
}

static int say_goroutines(const struct options *options, const struct gc_told *host)
{
    if (!options->json) {
        printf("host %" PRIu64 ", pid %d, %s\n\n%s\n", host->host, host->pid, host->plugin, host->text);
        return output_flush();
    }
    json_t *object = json_pack("{s:I, s:i, s:s}", "host", (json_int_t)host->host, "pid", host->pid, "plugin",
                               host->plugin);
    if (object && json_set_bytes(object, "goroutines", host->text, host->bytes) < 0) {
        json_decref(object);
        object = NULL;
    }
    return output_json(object);
}

/* Host after host. One that ends while it is asked has no goroutines any more. */
static int list_goroutines(struct session *session)
{
    struct gc_told host = {.host = 0};
    uint64_t after = 0;
    bool more = true;
    int r = 0;

    while (more && r >= 0) {
        r = gc_goroutines(session->client, after, &host, session_patience(session));
        if (r == -ENOENT)
            return STATUS_OK;
        if (r == -EOWNERDEAD) {
            r = 0;
            continue;
        }
        if (r < 0)
            return session_fail(r, "dump");
        r = say_goroutines(session->options, &host);
        after = host.host;
        more = host.more;
        gc_told_clear(&host);
    }
    return r < 0 ? output_fail(r) : STATUS_OK;
}

int command_dump(const struct options *options)
{
    struct session session;
    int status = session_open(&session, options);

    if (status != STATUS_OK)
        return status;
    return session_close(&session, options->goroutines ? list_goroutines(&session) : list_parked(&session));
}
