#include "schedule_fixture.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "zone_file.h"

/* NULL: there is none. */
static void answer_zone(struct jobs_fixture *f, const struct zone *zone)
{
    struct bytes text = zone ? (struct bytes){0} : TEXT("no such zone");
    struct input in = {.kind = IN_ZONE, .zone = {.error = zone ? 0 : -ENOENT, .text = text, .zone = zone}};
    char name[SEEN_TEXT];

    memcpy(name, f->zone_waiting, sizeof(name));
    in.zone.name = (struct bytes){name, strlen(name)};
    *f->zone_waiting = 0;
    fixture_step(f, &in);
}

void zone_is_gone(struct jobs_fixture *f)
{
    answer_zone(f, NULL);
}

void zone_is_read(struct jobs_fixture *f)
{
    struct zone *zone = NULL;

    zone_file_read(ZONE_FOLDER, f->zone_waiting, &zone);
    answer_zone(f, zone);
    zone_delete(zone);
}

void look(struct jobs_fixture *f)
{
    while (*f->zone_waiting)
        zone_is_read(f);
    if (f->plugin_waiting)
        plugin_is(f, TEXT("g1"), true);
}

struct seen *set_status(struct jobs_fixture *f, struct client *c, struct request request, int32_t status)
{
    uint64_t op = ask(f, c, request);

    look(f);
    struct seen *seen = answer(f, c, op);
    if (!seen)
        fail_msg("a SET has no answer");
    if (seen->status != status)
        fail_msg("a SET is answered %d (%s), not %d", seen->status, seen->text, status);
    return seen;
}

void set(struct jobs_fixture *f, struct client *c, struct request request)
{
    set_status(f, c, request, 0);
}

static int32_t ask_plain(struct jobs_fixture *f, struct client *c, struct request request)
{
    struct seen *seen = answer(f, c, ask(f, c, request));

    assert_non_null(seen);
    return seen->status;
}

int32_t hold_back(struct jobs_fixture *f, struct client *c, struct bytes name)
{
    return ask_plain(f, c, (struct request){.verb = VERB_SCHEDULE_PAUSE, .schedule_pause = {.name = name}});
}

int32_t go_on(struct jobs_fixture *f, struct client *c, struct bytes name)
{
    return ask_plain(
        f, c, (struct request){.verb = VERB_SCHEDULE_PAUSE, .schedule_pause = {.name = name, .resume = 1}});
}

int32_t forget(struct jobs_fixture *f, struct client *c, struct bytes name)
{
    return ask_plain(f, c, (struct request){.verb = VERB_SCHEDULE_REMOVE, .schedule_remove = {name}});
}

struct seen *row(struct jobs_fixture *f, struct client *c, const char *name)
{
    struct request list = {.verb = VERB_SCHEDULE_LIST, .schedule_list.prefix = {name, strlen(name)}};
    struct seen *seen = ask_ok(f, c, list, 0);

    if (!seen->schedules_n || strcmp(seen->schedule_words[0], name) != 0)
        fail_msg("no schedule %s is told", name);
    return seen;
}

size_t schedules(struct jobs_fixture *f, struct client *c)
{
    return ask_ok(f, c, (struct request){.verb = VERB_SCHEDULE_LIST}, 0)->schedules_n;
}

size_t jobs_stored_n(struct jobs_fixture *f)
{
    struct fetch what = {.kind = FETCH_JOBS, .limit = 100000};
    struct fetched out;

    assert_int_equal(store_memory.fetch(f->store, &what, &out), 0);
    size_t n = out.rows_n;
    fetched_clear(&out);
    return n;
}

void jump_ms(struct jobs_fixture *f, int64_t ms)
{
    f->now.mono_ns += ms * 1000000;
    f->now.wall_ns += ms * 1000000;
    fixture_step(f, &(struct input){.kind = IN_TICK});
}

void at_utc(struct jobs_fixture *f, int64_t utc_s)
{
    jump_ms(f, utc_s * 1000 - f->now.wall_ns / 1000000);
}
