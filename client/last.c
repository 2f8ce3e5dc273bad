/*
 * Failures in words. A goroutine may move to another thread only while it waits, and these are read before it
 * does. Accessors are not inlined, so that no address of a thread's variable is kept over a wait.
 */
#include "last.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "goclient_host.h"

#define NOINLINE __attribute__((noinline))

static _Thread_local struct {
    char why[GC_WHY_BYTES];
    bool doubt;
    struct gc_op op;
} last;

static const struct {
    int error;
    const char *text;
} texts[] = {
    {ETIMEDOUT, "the deadline passed"},
    {ECANCELED, "cancelled"},
    {EAGAIN, "it would have to wait"},
    {EPIPE, "the channel is closed"},
    {ECONNRESET, "the session is over"},
    {ENETRESET, "the daemon was restarted"},
    {ECONNREFUSED, "no daemon there"},
    {ENOENT, "not found"},
    {EPERM, "not permitted"},
    {EINVAL, "an argument is out of its range"},
    {E2BIG, "too large"},
    {EMSGSIZE, "not the channel's element size"},
    {ESTALE, "over already: acknowledged before, or its run has ended"},
    {ENOBUFS, "over a limit"},
    {EEXIST, "it exists already"},
    {EDEADLK, "it would wait for itself"},
    {ENOSPC, "the daemon's disk is full"},
    {ENOMEM, "out of memory"},
    {EXDEV, "objects of different daemons"},
    {EACCES, "access denied"},
    {ENOEXEC, "not a plugin for this daemon"},
    {EPROTO, "not a goroutined"},
    {EPROTONOSUPPORT, "another version of the protocol"},
    {EBADMSG, "a frame could not be decoded"},
    {ESHUTDOWN, "the daemon is stopping"},
    {EOPNOTSUPP, "not supported by this daemon"},
    {EOWNERDEAD, "who had it died"},
    {ENOTRECOVERABLE, "its last owner died, and nobody put right what it guards"},
    {EBUSY, "in use, or open"},
    {EREMOTEIO, "the daemon failed"},
};

GC_API const char *gc_strerror(int error)
{
    int number = error < 0 ? -error : error;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (texts[i].error == number)
            return texts[i].text;
    const char *text = number ? strerrordesc_np(number) : "success";
    return text ? text : "unknown error";
}

NOINLINE int last_failed(int error, const char *text, bool doubt)
{
    snprintf(last.why, sizeof last.why, "%s", text && *text ? text : gc_strerror(error));
    last.doubt = doubt;
    return error;
}

NOINLINE void last_doubt(bool doubt)
{
    last.doubt = doubt;
}

GC_API int gc_failed(int error, const char *why, bool doubt)
{
    return last_failed(error, why, doubt);
}

NOINLINE void last_operation(const uint8_t session[16], uint64_t id)
{
    memcpy(last.op.session, session, sizeof last.op.session);
    last.op.id = id;
}

GC_API NOINLINE const char *gc_why(void)
{
    return last.why;
}

GC_API NOINLINE bool gc_in_doubt(void)
{
    return last.doubt;
}

GC_API NOINLINE struct gc_op gc_last_op(void)
{
    return last.op;
}
