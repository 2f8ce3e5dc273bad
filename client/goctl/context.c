/*
 * The command ctx: contexts by name. What is made here is detached: it outlives goctl.
 */
#include "goclient_context.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "options.h"
#include "output.h"
#include "pages.h"
#include "quantity.h"
#include "session.h"
#include "status.h"

static int fail(int error, const char *what, const char *name)
{
    const char *hint = error == -ENOENT
                           ? "`goctl ctx new NAME` makes one, `goctl ctx ls` lists those there are"
                       : error == -EEXIST ? "`goctl ctx drop NAME` ends and forgets it"
                                          : NULL;

    return session_fail_hint(error, hint, "ctx %s %s", what, name);
}

/* ---- new ---- */

static int bindings_of(const struct options *options, struct gc_context_value **out)
{
    struct gc_context_value *values = calloc(options->cases_n + 1, sizeof *values);

    if (!values)
        return -ENOMEM;
    for (size_t i = 0; i < options->cases_n; i++) {
        const struct select_option *from = &options->cases[i];

        values[i] = (struct gc_context_value){from->name, from->value, strlen(from->value)};
    }
    *out = values;
    return 0;
}

static int ctx_new(struct session *session, const char *name)
{
    const struct options *options = session->options;
    struct gc_context_options what = {.size = sizeof what,
                                      .name = name,
                                      .parent_name = options->parent,
                                      .group = options->group,
                                      .flags = GC_CONTEXT_DETACHED,
                                      .timeout_ns = options->timeout_ns > 0    ? options->timeout_ns
                                                    : options->timeout_ns == 0 ? -1
                                                                               : 0,
                                      .values_n = options->cases_n};
    struct gc_context_value *values = NULL;
    gc_ctx *ctx;
    int r = bindings_of(options, &values);

    if (r < 0)
        return session_fail_here(r, "ctx new %s", name);
    what.values = values;
    r = gc_context_derive(session->client, NULL, &what, &ctx, session_interrupt(session));
    free(values);
    if (r < 0)
        return fail(r, "new", name);
    gc_ctx_free(ctx);
    return STATUS_OK;
}

/* ---- those that are there ---- */

static const char *state_of(const struct gc_context_info *info)
{
    return info->status == 0 ? "open" : info->status == -ETIMEDOUT ? "timeout" : "cancelled";
}

static json_t *info_json(const struct gc_context_info *info)
{
    json_t *object = json_pack("{s:s, s:s, s:I, s:I, s:I, s:I}", "name", info->name, "state", state_of(info),
                               "id", (json_int_t)info->id, "children", (json_int_t)info->children, "ops",
                               (json_int_t)info->ops, "jobs", (json_int_t)info->jobs);

    if (object && info->left_ns)
        json_object_set_new(object, "left_ns", json_integer(info->left_ns));
    if (object && info->status) {
        json_object_set_new(object, "cause", json_string(info->text));
        json_object_set_new(object, "code", json_integer(info->code));
    }
    return object;
}

static const char *left_of(const struct gc_context_info *info, char text[DURATION_TEXT_BYTES])
{
    return info->left_ns > 0 ? format_duration(info->left_ns, text) : "-";
}

static void info_text(const struct gc_context_info *info)
{
    char left[DURATION_TEXT_BYTES];

    printf("name      %s\nstate     %s\n", info->name, state_of(info));
    if (info->status)
        printf("cause     %s\n", info->text);
    printf("left      %s\nchildren  %" PRIu64 "\nops       %" PRIu64 "\njobs      %" PRIu64 "\n",
           left_of(info, left), info->children, info->ops, info->jobs);
}

static int say_info(const struct options *options, const struct gc_context_info *info)
{
    int r;

    if (!options->json)
        info_text(info);
    r = options->json ? output_json(info_json(info)) : output_flush();
    return r < 0 ? output_fail(r) : STATUS_OK;
}

static int ctx_info(struct session *session, gc_ctx *ctx, const char *name)
{
    struct gc_context_info info;
    int r = gc_context_info(ctx, &info, session_patience(session));

    return r < 0 ? fail(r, "info", name) : say_info(session->options, &info);
}

static int ctx_cancel(struct session *session, gc_ctx *ctx, const char *name)
{
    const struct options *options = session->options;
    const char *cause = options->operands_n > 2 ? options->operands[2] : NULL;
    int r = gc_context_cancel(ctx, 0, cause, session_patience(session));

    return r < 0 ? fail(r, "cancel", name) : STATUS_OK;
}

static int ctx_drop(struct session *session, gc_ctx *ctx, const char *name)
{
    int r = gc_context_drop(ctx, session_patience(session));

    return r < 0 ? fail(r, "drop", name) : STATUS_OK;
}

/* Prints why it ended; the exit status tells a cancel from a deadline. */
static int ctx_wait(struct session *session, gc_ctx *ctx, const char *name)
{
    struct gc_context_info info;
    int r = gc_context_wait(ctx, session_patience(session));

    if (r >= 0)
        r = gc_context_info(ctx, &info, session_patience(session));
    if (r < 0)
        return fail(r, "wait", name);
    if (!session->options->json) {
        printf("%s %s\n", state_of(&info), info.text);
        r = output_flush();
    } else
        r = output_json(info_json(&info));
    return r < 0 ? output_fail(r) : (int)status_of(info.status);
}

/* {"context":NAME,"key":KEY,"value":VALUE} */
static json_t *value_json(const struct options *options, const struct gc_value *value)
{
    json_t *object = json_pack("{s:s, s:s}", "context", options->operands[1], "key", options->operands[2]);

    if (object && json_set_bytes(object, "value", value->data, value->size) < 0) {
        json_decref(object);
        return NULL;
    }
    return object;
}

static int ctx_value(struct session *session, gc_ctx *ctx, const char *name)
{
    const struct options *options = session->options;
    struct gc_value value;
    int r;

    if (options->operands_n < 3) {
        fputs("goctl ctx value: which? usage: goctl ctx value NAME KEY\n", stderr);
        return STATUS_USAGE;
    }
    r = gc_context_value(ctx, options->operands[2], &value, session_patience(session));
    if (r < 0)
        return fail(r, "value", name);
    if (r == 0) {
        fprintf(stderr, "goctl: ctx value %s: neither it nor one above it binds %s\n", name,
                options->operands[2]);
        return STATUS_NOT_FOUND;
    }
    r = options->json ? output_json(value_json(options, &value))
                      : output_bytes(options, value.data, value.size);
    gc_value_clear(&value);
    if (r == 0)
        r = output_flush();
    return r < 0 ? output_fail(r) : STATUS_OK;
}

/* ---- ls ---- */

static int print_page(const struct options *options, const struct gc_context_page *page)
{
    for (size_t i = 0; i < page->n; i++) {
        const struct gc_context_info *info = &page->items[i];
        char left[DURATION_TEXT_BYTES];

        if (options->json) {
            int r = output_json(info_json(info));

            if (r < 0)
                return r;
        } else
            printf("%-9s %9s %5" PRIu64 " %5" PRIu64 " %8" PRIu64 " %s\n", state_of(info),
                   left_of(info, left), info->ops, info->jobs, info->children, info->name);
    }
    return output_flush();
}

static int say_page(struct session *session, struct page_at *at, const void *unused)
{
    struct gc_context_page page = {0};
    int r = gc_contexts(session->client, at->prefix, at->after, at->limit, &page, session_patience(session));

    (void)unused;
    if (r < 0)
        return session_fail(r, "ctx ls");
    r = print_page(session->options, &page);
    page_last(at, page.n, page.n ? page.items[page.n - 1].name : NULL, page.more);
    gc_context_page_clear(&page);
    return r < 0 ? output_fail(r) : STATUS_OK;
}

static int ctx_ls(struct session *session, const char *prefix)
{
    return pages_say(session, prefix, "STATE          LEFT   OPS  JOBS CHILDREN NAME", say_page, NULL);
}

/* ---- the table ---- */

static const struct action {
    const char *name;
    int (*run)(struct session *session, gc_ctx *ctx, const char *name);
} actions[] = {
    {"cancel", ctx_cancel}, {"wait", ctx_wait}, {"info", ctx_info}, {"value", ctx_value}, {"drop", ctx_drop},
};

static int on_one(struct session *session, const struct action *action, const char *name)
{
    gc_ctx *ctx;
    int r = gc_context_open(session->client, name, &ctx, session_patience(session));

    if (r < 0)
        return fail(r, action->name, name);
    r = action->run(session, ctx, name);
    gc_ctx_free(ctx);
    return r;
}

static int act(struct session *session)
{
    const struct options *options = session->options;
    const char *what = options->operands[0], *name = options->operands_n > 1 ? options->operands[1] : NULL;

    if (!strcmp(what, "ls"))
        return ctx_ls(session, name);
    if (!name || !*name) {
        fprintf(stderr, "goctl ctx %s: which? usage: goctl ctx %s NAME\n", what, what);
        return STATUS_USAGE;
    }
    if (!strcmp(what, "new"))
        return ctx_new(session, name);
    for (size_t i = 0; i < sizeof actions / sizeof *actions; i++)
        if (!strcmp(what, actions[i].name))
            return on_one(session, &actions[i], name);
    fprintf(stderr, "goctl ctx: there is no \"%s\"; see: goctl ctx --help\n", what);
    return STATUS_USAGE;
}

int command_ctx(const struct options *options)
{
    struct session session;
    int status = session_open(&session, options);

    return status == STATUS_OK ? session_close(&session, act(&session)) : status;
}
