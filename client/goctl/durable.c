/*
 * The command durable: the durable subscriptions, where each is, and what is set of them.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "commands.h"
#include "facts.h"
#include "from.h"
#include "options.h"
#include "output.h"
#include "pages.h"
#include "session.h"
#include "status.h"

static const struct fact_kind durables = {.word = "durable", .set = gc_durable_set};

/* ---- what is known of one ---- */

/* All numbers, in the order in which they are shown. */
#define DURABLE_NUMBERS(NUMBER)                                                                              \
    NUMBER(members)                                                                                          \
    NUMBER(outstanding)                                                                                      \
    NUMBER(waiting)                                                                                          \
    NUMBER(floor)                                                                                            \
    NUMBER(next)                                                                                             \
    NUMBER(redelivered)                                                                                      \
    NUMBER(dead)

static json_t *durable_json(const struct gc_durable_info *info)
{
    json_t *object =
        json_pack("{s:s, s:s, s:b}", "name", info->name, "pattern", info->pattern, "paused", info->paused);

#define SET_NUMBER(member) json_object_set_new(object, #member, json_integer((json_int_t)info->member));
    DURABLE_NUMBERS(SET_NUMBER)
#undef SET_NUMBER
    if (info->settings_n)
        json_object_set_new(object, "settings", settings_json(info->settings, info->settings_n));
    return object;
}

static void durable_text(const struct gc_durable_info *info)
{
    printf("%-17s %s\n%-17s %s\n%-17s %s\n", "name", info->name, "pattern", info->pattern, "state",
           info->paused ? "paused" : "running");
#define PRINT_NUMBER(member) printf("%-17s %" PRIu64 "\n", #member, info->member);
    DURABLE_NUMBERS(PRINT_NUMBER)
#undef PRINT_NUMBER
    settings_text(info->settings, info->settings_n);
}

/* The first of the list from its name on, if it has that name. */
static int durable_info(struct session *session, const char *name)
{
    struct gc_durable_page page;
    int r = gc_durables(session->client, name, NULL, 1, &page, session_patience(session));

    if (r == 0 || (r > 0 && strcmp(page.items[0].name, name) != 0)) {
        gc_durable_page_clear(&page);
        fprintf(
            stderr,
            "goctl: durable info %s: there is none of that name; `goctl durable ls` lists those there are\n",
            name);
        return STATUS_NOT_FOUND;
    }
    if (r < 0)
        return facts_fail(&durables, r, "info", name);
    if (!session->options->json)
        durable_text(page.items);
    r = session->options->json ? output_json(durable_json(page.items)) : output_flush();
    gc_durable_page_clear(&page);
    return r < 0 ? output_fail(r) : STATUS_OK;
}

/* ---- what changes one ---- */

static int durable_set(struct session *session, const char *name)
{
    return facts_set(session, &durables, name);
}

static int set_one(struct session *session, const char *what, const char *name, const char *setting)
{
    int r = gc_durable_set(session->client, name, setting, session_patience(session));

    return r < 0 ? facts_fail(&durables, r, what, name) : STATUS_OK;
}

static int durable_pause(struct session *session, const char *name)
{
    return set_one(session, "pause", name, "paused=yes");
}

static int durable_resume(struct session *session, const char *name)
{
    return set_one(session, "resume", name, "paused=no");
}

/* It goes on from there, whatever was acknowledged. */
static int durable_seek(struct session *session, const char *name)
{
    const struct options *options = session->options;
    const char *where = options->operands_n > 2 ? options->operands[2] : "";
    struct gc_subscribe_options from = {.from = GC_FROM_LAST};
    char setting[64];

    if (from_parse(where, from_now_us(), &from) < 0 || from.from == GC_FROM_LAST) {
        fprintf(stderr,
                "goctl durable seek: \"%s\" is not start, now, a sequence, a time such as "
                "2026-03-01T12:00:00Z, or so "
                "long ago, such as 10m\n",
                where);
        return STATUS_USAGE;
    }
    if (from.from == GC_FROM_SEQUENCE)
        snprintf(setting, sizeof setting, "from=%" PRIu64, from.from_sequence);
    else if (from.from == GC_FROM_TIME)
        snprintf(setting, sizeof setting, "from=@%" PRId64, from.from_time_us);
    else
        snprintf(setting, sizeof setting, "from=%s", from.from == GC_FROM_START ? "start" : "new");
    return set_one(session, "seek", name, setting);
}

static int durable_remove(struct session *session, const char *name)
{
    int r = gc_durable_remove(session->client, name, session_patience(session));

    return r < 0 ? facts_fail(&durables, r, "rm", name) : STATUS_OK;
}

/* ---- the list ---- */

static int print_page(const struct options *options, const struct gc_durable_page *page)
{
    for (size_t i = 0; i < page->n; i++) {
        const struct gc_durable_info *info = &page->items[i];
        int r = options->json ? output_json(durable_json(info)) : 0;

        if (r < 0)
            return r;
        if (!options->json)
            printf("%7" PRIu64 " %11" PRIu64 " %8" PRIu64 " %8" PRIu64 " %-7s %s %s\n", info->members,
                   info->outstanding, info->waiting, info->dead, info->paused ? "paused" : "-", info->name,
                   info->pattern);
    }
    return output_flush();
}

static int say_page(struct session *session, struct page_at *at, const void *unused)
{
    struct gc_durable_page page;
    int r = gc_durables(session->client, at->prefix, at->after, at->limit, &page, session_patience(session));

    (void)unused;
    if (r < 0)
        return session_fail(r, "durable ls");
    r = print_page(session->options, &page);
    page_last(at, page.n, page.n ? page.items[page.n - 1].name : NULL, page.more);
    gc_durable_page_clear(&page);
    return r < 0 ? output_fail(r) : STATUS_OK;
}

/* ---- the table ---- */

static const struct action {
    const char *name;
    int (*run)(struct session *session, const char *name);
} actions[] = {
    {"info", durable_info},     {"set", durable_set},   {"pause", durable_pause},
    {"resume", durable_resume}, {"seek", durable_seek}, {"rm", durable_remove},
};

static int act(struct session *session)
{
    const struct options *options = session->options;
    const char *what = options->operands[0], *name = options->operands_n > 1 ? options->operands[1] : NULL;

    if (!strcmp(what, "ls"))
        return pages_say(session, name, "MEMBERS OUTSTANDING  WAITING     DEAD STATE   NAME PATTERN",
                         say_page, NULL);
    if (!name || !*name) {
        fprintf(stderr, "goctl durable %s: which? usage: goctl durable %s NAME\n", what, what);
        return STATUS_USAGE;
    }
    for (size_t i = 0; i < sizeof actions / sizeof *actions; i++)
        if (!strcmp(what, actions[i].name))
            return actions[i].run(session, name);
    fprintf(stderr, "goctl durable: there is no \"%s\"; see: goctl durable --help\n", what);
    return STATUS_USAGE;
}

int command_durable(const struct options *options)
{
    struct session session;
    int status = session_open(&session, options);

    return status == STATUS_OK ? session_close(&session, act(&session)) : status;
}
