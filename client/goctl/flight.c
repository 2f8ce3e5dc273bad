/*
 * The command flight: callers of one key at a time share one run of a command, its output and its exit status.
 *
 * The output is kept in a file without a name, in memory, until the command has ended: then it is the value of the flight.
 */
#include <errno.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agree.h"
#include "child.h"
#include "commands.h"
#include "options.h"
#include "output.h"
#include "status.h"

enum { STATUS_TOLD = 4096 }; /* above all errno values */

int error_telling(int status)
{
    return status == STATUS_OK ? 0 : -(STATUS_TOLD + status);
}

bool tells_status(int error)
{
    return error < -STATUS_TOLD;
}

int status_told(int error)
{
    return tells_status(error) ? -error - STATUS_TOLD : (int)status_of(error);
}

struct flight {
    const struct session *session;
    void *data; /* the output, mapped; or NULL */
    size_t size;
};

/* 0 or a negative errno value. */
static int map_output(struct flight *flight, int fd)
{
    struct stat stat;
    void *data;

    if (fstat(fd, &stat) < 0)
        return -errno;
    if (stat.st_size == 0)
        return 0;
    data = mmap(NULL, (size_t)stat.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (data == MAP_FAILED)
        return -errno;
    flight->data = data;
    flight->size = (size_t)stat.st_size;
    return 0;
}

static int fly(void *arg, struct gc_value *value)
{
    struct flight *flight = arg;
    int fd = memfd_create("output", MFD_CLOEXEC), status, r;

    if (fd < 0)
        return -errno;
    status = child_run_into(flight->session, flight->session->options->operands + 1, fd);
    r = map_output(flight, fd);
    close(fd);
    *value = gc_bytes(flight->data ? flight->data : "", flight->size);
    return r < 0 ? r : error_telling(status);
}

static json_t *flight_json(const char *key, const struct gc_value *value, bool shared, int status)
{
    json_t *object = json_pack("{s:s, s:b, s:i}", "flight", key, "shared", shared, "status", status);

    if (object && json_set_bytes(object, "output", value->data ? value->data : "", value->size) < 0) {
        json_decref(object);
        return NULL;
    }
    return object;
}

/* The output as it is: its command has put the newlines. */
static int say_output(const struct session *session, const struct gc_value *value, bool shared, int status)
{
    const struct options *options = session->options;
    int r;

    if (options->json)
        r = output_json(flight_json(options->operands[0], value, shared, status));
    else
        r = fwrite(value->data, 1, value->size, stdout) == value->size ? output_flush() : -errno;
    return r < 0 ? output_fail(r) : status;
}

static const char *flight_hint(int error)
{
    return error == -EOWNERDEAD ? "who ran the command died; the next call runs it again"
           : error == -E2BIG  ? "its output is larger than result_bytes_max of the daemon; let it name a file"
           : error == -EAGAIN ? "somebody runs it now"
                              : NULL;
}

static int flight_run(struct session *session)
{
    struct flight flight = {.session = session};
    struct gc_flight what = {fly, &flight};
    const char *key = session->options->operands[0];
    struct gc_value value;
    bool shared;
    int r = gc_flight_do(session->client, key, &what, &value, &shared, session_until(session));
    int status = r == 0 || tells_status(r) ? say_output(session, &value, shared, status_told(r))
                                           : session_fail_hint(r, flight_hint(r), "flight %s", key);

    gc_value_clear(&value);
    if (flight.data)
        munmap(flight.data, flight.size);
    return status;
}

int command_flight(const struct options *options)
{
    if (options->reset != (options->operands_n == 1)) {
        fputs("goctl flight: give a command to run behind --, or --reset and no command\n", stderr);
        return STATUS_USAGE;
    }
    return run_or_reset(options, flight_run, GC_SYNC_FLIGHT, "flight");
}
