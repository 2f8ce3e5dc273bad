/*
 * GOROUTINES: what a host tells of its goroutines, with their stacks. One dump is under way to a host at a time; whoever
 * asks meanwhile gets that one. The host answers in pieces (DUMPED), of which dump_bytes_max are kept.
 */
#include <errno.h>
#include <string.h>

#include "inspect.h"
#include "jobs_internal.h"

/* The next host behind this number that can answer. */
static struct host *host_after(const struct core *core, uint64_t number)
{
    struct host *host, *found = NULL;

    list_each (host, &core->jobs->hosts, link)
        if (host->number > number && (!found || host->number < found->number) && host_listens(core, host))
            found = host;
    return found;
}

static int dump_start(struct core *core, struct host *host)
{
    uint64_t number = core->jobs->dump_last + 1;
    int r = host->dump.number ? 0 : host_tell(core, host, &(struct offer){.kind = OFFER_DUMP, .job = number});

    if (r == 0 && !host->dump.number)
        host->dump.number = core->jobs->dump_last = number;
    return r;
}

int handle_goroutines(struct core *core, struct op *op, const struct request *request)
{
    struct host *host = host_after(core, request->goroutines.after);
    const struct account *who = op->scope->account;

    if (who->uid != 0 && who->uid != core->owner)
        return -EPERM;
    if (!host)
        return -ENOENT;
    int r = op_park(core, op, WAIT_HOST);
    if (r < 0)
        return r;
    r = dump_start(core, host);
    if (r < 0)
        return op_finish(core, op, r), 0;
    op->job = host->number;
    list_append(&host->dump.askers, &op->waiters[0].link);
    return 0;
}

static void answer(struct core *core, struct host *host, struct op *op)
{
    const struct plugin *plugin = host->generation->plugin;
    struct wait_info row = {.pid = host->pid,
                            .kind = {"host", 4},
                            .object = {plugin->path, plugin->path_size},
                            .uid = host->session ? host->session->account->uid : 0};
    struct result result = {.flags = host_after(core, host->number) ? RESULT_MORE : 0,
                            .handle = host->number,
                            .output = {host->dump.text, host->dump.size},
                            .waits = &row,
                            .waits_n = 1};

    if (op_answer(core, op, &result) < 0)
        op_finish(core, op, -ENOMEM);
}

static void dump_end(struct core *core, struct host *host)
{
    struct waiter *w;

    while ((w = list_first(&host->dump.askers, struct waiter, link))) {
        if (op_gone(core, w->op))
            list_remove(&w->link);
        else
            answer(core, host, w->op);
    }
    core_free(core, host->dump.text);
    host->dump.text = NULL;
    host->dump.size = 0;
    host->dump.number = 0;
}

/* What does not fit is left out. */
static int keep(struct core *core, struct dump_text *dump, struct bytes piece)
{
    size_t room = core->limits.dump_bytes_max > dump->size ? core->limits.dump_bytes_max - dump->size : 0;
    size_t size = piece.size < room ? piece.size : room;
    char *text = size ? core_resize(core, dump->text, dump->size + size) : NULL;

    if (!size)
        return 0;
    if (!text)
        return -ENOMEM;
    memcpy(text + dump->size, piece.data, size);
    dump->text = text;
    dump->size += size;
    return 0;
}

int handle_dumped(struct core *core, struct op *op, const struct request *request)
{
    const struct request_dumped *piece = &request->dumped;
    struct host *host = op->scope->session->host_part;

    if (!host || !host->dump.number || host->dump.number != piece->dump)
        return -ESTALE;
    int r = keep(core, &host->dump, piece->text);
    if (piece->last)
        dump_end(core, host);
    return r;
}

void stacks_host_gone(struct core *core, struct host *host)
{
    struct waiter *w;

    while ((w = list_first(&host->dump.askers, struct waiter, link))) {
        if (op_gone(core, w->op))
            list_remove(&w->link);
        else
            op_fail(core, w->op, -EOWNERDEAD, "the host has ended before it answered");
    }
    core_free(core, host->dump.text);
}
