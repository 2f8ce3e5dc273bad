/* One table: the numbers, their words in the help, the errors that lead to them. */
#include "status.h"

#include <errno.h>
#include <stddef.h>

static const struct {
    enum exit_status status;
    const char *words;
    int errors[5];
} table[] = {
    {STATUS_OK, "it worked", {0}},
    {STATUS_FAILURE, "it failed; the message says why", {0}},
    {STATUS_USAGE, "the command line is wrong", {EINVAL, EMSGSIZE}},
    {STATUS_TIMEOUT, "the time of --timeout, or of a context, was over", {ETIMEDOUT}},
    {STATUS_CLOSED, "the channel is closed", {EPIPE}},
    {STATUS_NOT_FOUND, "no such channel, topic, job, context, value, file or function", {ENOENT}},
    {STATUS_CANCELLED, "cancelled, or its context was", {ECANCELED}},
    {STATUS_UNAVAILABLE, "no daemon, or it went away", {ECONNREFUSED, ECONNRESET, ENETRESET, EPROTO}},
    {STATUS_WOULD_BLOCK, "--try, and it would have had to wait", {EAGAIN}},
    {STATUS_JOB_FAILED, "the job failed", {0}},
    {STATUS_BUSY, "the breaker is open, or it is in use", {EBUSY}},
};
enum { ROWS = sizeof table / sizeof *table, ERRORS = sizeof table[0].errors / sizeof(int) };

enum exit_status status_of(int error)
{
    if (error >= 0)
        return STATUS_OK;
    for (int row = 0; row < ROWS; row++) {
        for (int i = 0; i < ERRORS && table[row].errors[i]; i++) {
            if (table[row].errors[i] == -error)
                return table[row].status;
        }
    }
    return STATUS_FAILURE;
}

void status_help(FILE *out)
{
    for (int row = 0; row < ROWS; row++)
        fprintf(out, "  %d  %s\n", (int)table[row].status, table[row].words);
}
