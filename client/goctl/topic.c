/*
 * The command topic: which topics there are, what is known of them, and the end of their subscriptions.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "commands.h"
#include "facts.h"
#include "goclient_topic.h"
#include "options.h"
#include "output.h"
#include "pages.h"
#include "session.h"
#include "status.h"

static const char *missing_hint(int error)
{
    return error == -ENOENT ? "`goctl topic ls` lists those there are" : NULL;
}

/* ---- what is known of one ---- */

/* All numbers of a topic, in the order in which they are shown: of every topic, of one of which there are messages, and of a
 * durable one. */
#define TOPIC_NUMBERS(NUMBER)                                                                                \
    NUMBER(subscriptions)                                                                                    \
    NUMBER(published)                                                                                        \
    NUMBER(delivered)                                                                                        \
    NUMBER(dropped)
#define KEPT_NUMBERS(NUMBER)                                                                                 \
    NUMBER(messages)                                                                                         \
    NUMBER(bytes)
#define LOG_NUMBERS(NUMBER)                                                                                  \
    NUMBER(first_sequence)                                                                                   \
    NUMBER(last_sequence)                                                                                    \
    NUMBER(delayed)

static const char *topic_place(const struct gc_topic_info *info)
{
    return info->durable ? "disk" : info->messages ? "last" : "live";
}

static json_t *topic_json(const struct gc_topic_info *info)
{
    char time[INSTANT_TEXT_BYTES];
    json_t *object = json_pack("{s:s, s:s}", "name", info->name, "kept", topic_place(info));

#define SET_NUMBER(member) json_object_set_new(object, #member, json_integer((json_int_t)info->member));
    TOPIC_NUMBERS(SET_NUMBER)
    if (info->durable || info->messages) {
        KEPT_NUMBERS(SET_NUMBER)
    }
    if (info->durable) {
        LOG_NUMBERS(SET_NUMBER)
    }
#undef SET_NUMBER
    if (info->last_us)
        json_object_set_new(object, "last", json_string(format_instant(info->last_us, time)));
    if (info->settings_n)
        json_object_set_new(object, "settings", settings_json(info->settings, info->settings_n));
    return object;
}

static void topic_text(const struct gc_topic_info *info)
{
    char time[INSTANT_TEXT_BYTES];

    printf("%-17s %s\n%-17s %s\n", "name", info->name, "kept", topic_place(info));
#define PRINT_NUMBER(member) printf("%-17s %" PRIu64 "\n", #member, info->member);
    TOPIC_NUMBERS(PRINT_NUMBER)
    if (info->durable || info->messages) {
        KEPT_NUMBERS(PRINT_NUMBER)
    }
    if (info->durable) {
        LOG_NUMBERS(PRINT_NUMBER)
    }
#undef PRINT_NUMBER
    if (info->last_us)
        printf("%-17s %s\n", "last", format_instant(info->last_us, time));
    settings_text(info->settings, info->settings_n);
}

static int topic_info(struct session *session, const char *name)
{
    struct gc_topic_page page;
    int r = gc_topic_info(session->client, name, &page, session_patience(session));

    if (r < 0)
        return session_fail_hint(r, missing_hint(r), "topic %s", name);
    if (!session->options->json)
        topic_text(page.items);
    r = session->options->json ? output_json(topic_json(page.items)) : output_flush();
    gc_topic_page_clear(&page);
    return r < 0 ? output_fail(r) : STATUS_OK;
}

/* ---- what changes one ---- */

static int topic_close(struct session *session, const char *name)
{
    int closed = gc_topic_close(session->client, name, session_patience(session)), r;

    if (closed < 0)
        return session_fail(closed, "close topic %s", name);
    if (closed == 0)
        fprintf(stderr, "goctl: close topic %s: nobody has subscribed to just that\n", name);
    r = session->options->json ? output_json(json_pack("{s:s, s:i}", "topic", name, "closed", closed)) : 0;
    return r < 0 ? output_fail(r) : closed ? STATUS_OK : STATUS_NOT_FOUND;
}

static const struct fact_kind rules = {.word = "topic", .set = gc_topic_set};

static int topic_set(struct session *session, const char *name)
{
    return facts_set(session, &rules, name);
}

static int topic_unset(struct session *session, const char *name)
{
    int r = gc_topic_unset(session->client, name, session_patience(session));

    return r < 0 ? facts_fail(&rules, r, "unset", name) : STATUS_OK;
}

static int say_forgotten(struct session *session, const char *what, const char *name, int64_t forgotten)
{
    int r;

    if (forgotten < 0)
        return facts_fail(&rules, (int)forgotten, what, name);
    if (!session->options->json)
        printf("%" PRId64 " messages are forgotten\n", forgotten);
    r = session->options->json
            ? output_json(json_pack("{s:s, s:I}", "topic", name, "forgotten", (json_int_t)forgotten))
            : output_flush();
    return r < 0 ? output_fail(r) : STATUS_OK;
}

static int topic_purge(struct session *session, const char *name)
{
    const struct options *options = session->options;

    return say_forgotten(
        session, "purge", name,
        gc_topic_purge(session->client, name, options->up_to, options->keep, session_patience(session)));
}

static int topic_remove(struct session *session, const char *name)
{
    return say_forgotten(session, "rm", name,
                         gc_topic_remove(session->client, name, session_patience(session)));
}

/* ---- the list ---- */

/* The name comes last: it alone has no bound on its width. */
static int print_page(const struct options *options, const struct gc_topic_page *page)
{
    for (size_t i = 0; i < page->n; i++) {
        const struct gc_topic_info *info = &page->items[i];
        int r = options->json ? output_json(topic_json(info)) : 0;

        if (r < 0)
            return r;
        if (!options->json)
            printf("%13" PRIu64 " %9" PRIu64 " %9" PRIu64 " %8" PRIu64 " %8" PRIu64 " %-4s %s\n",
                   info->subscriptions, info->published, info->delivered, info->dropped, info->messages,
                   topic_place(info), info->name);
    }
    return output_flush();
}

static int say_page(struct session *session, struct page_at *at, const void *unused)
{
    struct gc_topic_page page;
    int r = gc_topics(session->client, at->prefix, at->after, at->limit, &page, session_patience(session));

    (void)unused;
    if (r < 0)
        return session_fail(r, "topic ls");
    r = print_page(session->options, &page);
    page_last(at, page.n, page.n ? page.items[page.n - 1].name : NULL, page.more);
    gc_topic_page_clear(&page);
    return r < 0 ? output_fail(r) : STATUS_OK;
}

static int topic_list(struct session *session)
{
    const struct options *options = session->options;

    if (options->operands_n > 2) {
        fputs("goctl topic ls: one pattern\n", stderr);
        return STATUS_USAGE;
    }
    return pages_say(session, options->operands_n > 1 ? options->operands[1] : NULL,
                     "SUBSCRIPTIONS PUBLISHED DELIVERED  DROPPED MESSAGES KEPT NAME", say_page, NULL);
}

/* ---- the table ---- */

static const struct action {
    const char *name;
    int (*run)(struct session *session, const char *name);
    bool one; /* what follows the name is not another one */
} actions[] = {
    {"info", topic_info},   {"close", topic_close}, {"set", topic_set, true},
    {"unset", topic_unset}, {"purge", topic_purge}, {"rm", topic_remove},
};

static int act(struct session *session)
{
    const struct options *options = session->options;
    const char *what = options->operands[0];
    const struct action *action = NULL;
    int status = STATUS_OK;

    if (!strcmp(what, "ls"))
        return topic_list(session);
    for (size_t i = 0; i < sizeof actions / sizeof *actions; i++)
        if (!strcmp(what, actions[i].name))
            action = &actions[i];
    if (!action)
        fprintf(stderr, "goctl topic: there is no \"%s\"; see: goctl topic --help\n", what);
    else if (options->operands_n == 1)
        fprintf(stderr, "goctl topic %s: which? usage: goctl topic %s NAME\n", what, what);
    if (!action || options->operands_n == 1)
        return STATUS_USAGE;
    int end = action->one ? 2 : options->operands_n;
    for (int i = 1; i < end && status == STATUS_OK; i++)
        status = action->run(session, options->operands[i]);
    return status;
}

int command_topic(const struct options *options)
{
    struct session session;
    int status = session_open(&session, options);

    return status == STATUS_OK ? session_close(&session, act(&session)) : status;
}
