#include "status.h"

#include <errno.h>
#include <stddef.h>

#include "goroutined.pb-c.h"

#define STATUS(NAME) GOROUTINED__STATUS__##NAME

static const struct {
    int status, error;
} rows[] = {
    {STATUS(OK), 0},
    {STATUS(OTHER), EREMOTEIO},
    {STATUS(CLOSED), EPIPE},
    {STATUS(CANCELED), ECANCELED},
    {STATUS(TIMED_OUT), ETIMEDOUT},
    {STATUS(SESSION_OVER), ECONNRESET},
    {STATUS(RESTARTED), ENETRESET},
    {STATUS(NOT_FOUND), ENOENT},
    {STATUS(NOT_PERMITTED), EPERM},
    {STATUS(TOO_BIG), E2BIG},
    {STATUS(STALE), ESTALE},
    {STATUS(OVER_LIMIT), ENOBUFS},
    {STATUS(WOULD_BLOCK), EAGAIN},
    {STATUS(DEADLOCK), EDEADLK},
    {STATUS(INVALID), EINVAL},
    {STATUS(EXISTS), EEXIST},
    {STATUS(NOT_SUPPORTED), EOPNOTSUPP},
    {STATUS(NO_MEMORY), ENOMEM},
    {STATUS(NO_SPACE), ENOSPC},
    {STATUS(BUSY), EBUSY},
    {STATUS(CROSS_NODE), EXDEV},
    {STATUS(OWNER_DIED), EOWNERDEAD},
    {STATUS(NOT_RECOVERABLE), ENOTRECOVERABLE},
    {STATUS(MALFORMED), EBADMSG},
    {STATUS(WRONG_VERSION), EPROTONOSUPPORT},
    {STATUS(NOT_ALLOWED), EACCES},
    {STATUS(BAD_PLUGIN), ENOEXEC},
    {STATUS(INPUT_OUTPUT), EIO},
    {STATUS(SHUTTING_DOWN), ESHUTDOWN},
    {STATUS(WRONG_SIZE), EMSGSIZE},
};

enum { ROWS = sizeof(rows) / sizeof(*rows) };

int status_of_error(int32_t error)
{
    if (error >= 0)
        return STATUS(OK);
    for (int i = 0; i < ROWS; i++)
        if (-rows[i].error == error)
            return rows[i].status;
    return STATUS(OTHER);
}

int32_t status_to_error(int status)
{
    for (int i = 0; i < ROWS; i++)
        if (rows[i].status == status)
            return -rows[i].error;
    return -EREMOTEIO;
}
