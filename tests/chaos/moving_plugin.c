/*
 * Jobs that end with a transaction (IP13). The argument of `move` is "FILE PLUGIN": it takes a value and, in one step with its
 * end, has that as its result, acknowledges it, sends it on, and submits `follow` of that plugin with it. It appends
 * "B id value" to FILE before the commit, and "C id value" when that has been told.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "goplugin.h"
#include "moving.h"

struct move {
    gp_job *job;
    gc_chan in, out;
    struct gc_value value;
    int fd; /* of FILE */
    char file[256];
    char *plugin; /* in `file` */
};

/* One write of one line at the end of the file: lines of different processes never mix. */
static int note(const struct move *move, char what)
{
    char line[MOVING_VALUE_BYTES + 32];
    int n = snprintf(line, sizeof(line), "%c %" PRIu64 " %.*s\n", what, gp_id(move->job),
                     (int)move->value.size, (const char *)move->value.data);

    return write(move->fd, line, (size_t)n) == n ? 0 : -EIO;
}

/* All of it, or nothing of the transaction is left. */
static int commit(struct move *move)
{
    struct gc_submit next = {.size = sizeof(next),
                             .plugin = move->plugin,
                             .function = "follow",
                             .argument = move->value.data,
                             .argument_bytes = move->value.size,
                             .attempts_max = MOVING_ATTEMPTS,
                             .backoff_ns = MOVING_BACKOFF_NS};
    gp_txn *txn = gp_txn_begin(move->job);
    int r = txn ? gp_result(move->job, move->value.data, move->value.size) : -ENOMEM;

    if (r == 0)
        r = gp_txn_ack(txn, &move->value);
    if (r == 0)
        r = gp_txn_send(txn, move->out, gc_bytes(move->value.data, move->value.size));
    if (r == 0)
        r = gp_txn_submit(txn, &next);
    if (r == 0)
        r = gp_txn_commit(txn, NULL, GC_FOREVER);
    if (r < 0)
        gp_txn_drop(txn);
    return r;
}

static int move_one(struct move *move)
{
    gc_client *g = gp_client(move->job);
    int r = gc_open(g, MOVING_IN, NULL, &move->in, GC_FOREVER);

    if (r == 0)
        r = gc_open(g, MOVING_OUT, NULL, &move->out, GC_FOREVER);
    if (r == 0)
        r = gc_recv(g, move->in, &move->value, GC_HOLD, GC_FOREVER) == 1 ? 0 : -EPIPE;
    if (r == 0)
        r = note(move, 'B');
    if (r == 0)
        r = commit(move);
    if (r == 0)
        r = note(move, 'C');
    gc_value_clear(&move->value);
    return r < 0 ? gp_fail(move->job, r, "%s", gc_why()) : 0;
}

static int move(gp_job *job)
{
    struct gp_bytes argument = gp_argument(job);
    struct move move = {.job = job};

    snprintf(move.file, sizeof(move.file), "%.*s", (int)argument.size, (const char *)argument.data);
    move.plugin = strchr(move.file, ' ');
    if (!move.plugin)
        return -EINVAL;
    *move.plugin++ = 0;
    move.fd = open(move.file, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    if (move.fd < 0)
        return -errno;
    int r = move_one(&move);
    close(move.fd);
    return r;
}

static int follow(gp_job *job)
{
    struct gp_bytes argument = gp_argument(job);

    return gp_result(job, argument.data, argument.size);
}

GP_PLUGIN("moving", "1.0", {"move", "moves a value in one transaction", move},
          {"follow", "has its argument as its result", follow});
