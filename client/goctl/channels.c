/* Commands about channels as a whole: make, close, rm, ls, info. */
#include "channels.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "commands.h"
#include "options.h"
#include "output.h"
#include "pages.h"
#include "status.h"

static const char *missing_hint(int error)
{
    return error == -ENOENT ? "`goctl make NAME` makes one, `goctl ls` lists those there are" : NULL;
}

/* The library takes "" for a channel without a name, which nobody else could ever open. */
static int check_name(const char *name)
{
    if (*name)
        return STATUS_OK;
    fputs("goctl: the name of the channel is empty\n", stderr);
    return STATUS_USAGE;
}

int channel_open_until(struct session *session, const char *name, unsigned rights, gc_chan *out,
                       gc_until until)
{
    struct gc_chan_options options = {.size = sizeof options, .rights = rights};

    return gc_open(session->client, name, &options, out, until);
}

int channel_open(struct session *session, const char *name, unsigned rights, gc_chan *out)
{
    int r;

    if (check_name(name) != STATUS_OK)
        return STATUS_USAGE;
    r = channel_open_until(session, name, rights, out, session_patience(session));
    return r < 0 ? session_fail_hint(r, missing_hint(r), "channel %s", name) : 0;
}

/* Calls `one` with each operand until one fails; the exit status. */
static int for_each_name(const struct options *options, int (*one)(struct session *, const char *name))
{
    struct session session;
    int status = session_open(&session, options);

    if (status != STATUS_OK)
        return status;
    for (int i = 0; i < options->operands_n && status == STATUS_OK; i++) {
        status = check_name(options->operands[i]);
        if (status == STATUS_OK)
            status = one(&session, options->operands[i]);
    }
    return session_close(&session, status);
}

/* Tells in JSON that something was done to a channel; in words nothing: no news is good news. */
static int say_done(const struct options *options, const char *name, const char *what)
{
    int r;

    if (!options->json)
        return STATUS_OK;
    r = output_json(json_pack("{s:s, s:b}", "channel", name, what, 1));
    return r < 0 ? output_fail(r) : STATUS_OK;
}

static struct gc_chan_options make_options(const struct options *options)
{
    return (struct gc_chan_options){
        .size = sizeof(struct gc_chan_options),
        .flags = GC_CREATE | (options->if_missing ? 0 : GC_EXCLUSIVE) |
                 (options->at_most_once ? GC_AT_MOST_ONCE : 0) | (options->durable ? GC_DURABLE : 0),
        .capacity = options->capacity,
        .value_bytes_max = options->value_bytes_max,
        .element_bytes = options->element_bytes,
        .type_tag = options->type,
        .full = options->drop_oldest   ? GC_FULL_DROPS_OLDEST
                : options->drop_newest ? GC_FULL_DROPS_NEWEST
                                       : GC_FULL_BLOCKS,
    };
}

static int make_one(struct session *session, const char *name)
{
    struct gc_chan_options options = make_options(session->options);
    gc_chan channel;
    int r = gc_open(session->client, name, &options, &channel, session_patience(session));

    if (r == -EEXIST)
        return session_fail_hint(r, "`goctl info NAME` shows it, --if-missing accepts an equal one",
                                 "make %s", name);
    return r < 0 ? session_fail(r, "make %s", name) : say_done(session->options, name, "made");
}

int command_make(const struct options *options)
{
    if (options->drop_oldest && options->drop_newest) {
        fputs("goctl make: --drop-oldest and --drop-newest exclude each other\n", stderr);
        return STATUS_USAGE;
    }
    return for_each_name(options, make_one);
}

static int close_one(struct session *session, const char *name)
{
    gc_chan channel;
    int status = channel_open(session, name, GC_MAY_CLOSE, &channel);
    int r;

    if (status != STATUS_OK)
        return status;
    r = gc_close(session->client, channel, session_patience(session));
    return r < 0 ? session_fail(r, "close %s", name) : say_done(session->options, name, "closed");
}

int command_close(const struct options *options)
{
    return for_each_name(options, close_one);
}

static int rm_one(struct session *session, const char *name)
{
    int r = gc_unlink(session->client, name, session_patience(session));

    return r < 0 ? session_fail_hint(r, missing_hint(r), "rm %s", name)
                 : say_done(session->options, name, "removed");
}

int command_rm(const struct options *options)
{
    return for_each_name(options, rm_one);
}

/* The numbers of a channel: their names in JSON and in `goctl info`. */
#define CHANNEL_NUMBERS(NUMBER)                                                                              \
    NUMBER(length)                                                                                           \
    NUMBER(capacity)                                                                                         \
    NUMBER(senders)                                                                                          \
    NUMBER(receivers)                                                                                        \
    NUMBER(returned)                                                                                         \
    NUMBER(handles)                                                                                          \
    NUMBER(bytes)                                                                                            \
    NUMBER(sent)                                                                                             \
    NUMBER(received)                                                                                         \
    NUMBER(dropped)                                                                                          \
    NUMBER(storing)

static json_t *channel_json(const struct gc_chan_info *info)
{
    json_t *object =
        json_pack("{s:s, s:b, s:b}", "name", info->name, "closed", info->closed, "durable", info->durable);

#define SET_NUMBER(member) json_object_set_new(object, #member, json_integer((json_int_t)info->member));
    CHANNEL_NUMBERS(SET_NUMBER)
#undef SET_NUMBER
    return object;
}

static const char *channel_place(const struct gc_chan_info *info)
{
    return info->durable ? "disk" : "memory";
}

static void channel_text(const struct gc_chan_info *info)
{
    printf("%-10s %s\n%-10s %s\n%-10s %s\n", "name", info->name, "state", info->closed ? "closed" : "open",
           "kept", channel_place(info));
#define PRINT_NUMBER(member) printf("%-10s %" PRIu64 "\n", #member, info->member);
    CHANNEL_NUMBERS(PRINT_NUMBER)
#undef PRINT_NUMBER
}

static int info_one(struct session *session, const char *name)
{
    struct gc_chan_info info;
    int r = gc_chan_stat(session->client, name, &info, session_patience(session));

    if (r < 0)
        return session_fail_hint(r, missing_hint(r), "info %s", name);
    if (!session->options->json)
        channel_text(&info);
    r = session->options->json ? output_json(channel_json(&info)) : output_flush();
    return r < 0 ? output_fail(r) : STATUS_OK;
}

int command_info(const struct options *options)
{
    return for_each_name(options, info_one);
}

static const char *channel_state(const struct gc_chan_info *info)
{
    return info->closed ? "closed" : "open";
}

/* Prints one page. The name comes last: it alone has no bound on its width. */
static int print_page(const struct options *options, const struct gc_chan_page *page)
{
    for (size_t i = 0; i < page->n; i++) {
        const struct gc_chan_info *info = &page->items[i];

        if (options->json) {
            int r = output_json(channel_json(info));

            if (r < 0)
                return r;
        } else
            printf("%7" PRIu64 " %8" PRIu64 " %7" PRIu64 " %9" PRIu64 " %-6s %-6s %s\n", info->length,
                   info->capacity, info->senders, info->receivers, channel_state(info), channel_place(info),
                   info->name);
    }
    return output_flush();
}

static int say_page(struct session *session, struct page_at *at, const void *unused)
{
    struct gc_chan_page page = {0};
    int r = gc_channels(session->client, at->prefix, at->after, at->limit, &page, session_patience(session));

    (void)unused;
    if (r < 0)
        return session_fail(r, "ls");
    r = print_page(session->options, &page);
    page_last(at, page.n, page.n ? page.items[page.n - 1].name : NULL, page.more);
    gc_chan_page_clear(&page);
    return r < 0 ? output_fail(r) : STATUS_OK;
}

static int list_channels(struct session *session)
{
    const struct options *options = session->options;

    return pages_say(session, options->operands_n ? options->operands[0] : NULL,
                     " LENGTH CAPACITY SENDERS RECEIVERS STATE  KEPT   NAME", say_page, NULL);
}

int command_ls(const struct options *options)
{
    struct session session;
    int status = session_open(&session, options);

    return status == STATUS_OK ? session_close(&session, list_channels(&session)) : status;
}
