/* A participant that is a job: its argument is the socket of the test. Its seats are goroutines, of the host's client. */
#include <errno.h>
#include <stdio.h>
#include <sys/un.h>

#include "goplugin.h"
#include "goroutine_net.h"
#include "seat.h"

static go_waitgroup seats; /* a host runs one such job */

static int64_t join(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) < 0)
        return -errno;
    return go_fd_open(fd);
}

static ssize_t get(int64_t seat, void *to, size_t size)
{
    return go_read(seat, to, size, GO_FOREVER);
}

static ssize_t put(int64_t seat, const void *it, size_t size)
{
    return go_write(seat, it, size, GO_FOREVER);
}

static void leave(int64_t seat)
{
    go_fd_close(seat);
}

static void serve(void *participant)
{
    participant_serve(*(struct participant **)participant);
}

static int spawn(struct participant *participant)
{
    return go_waitgroup_go(&seats, serve, &participant, sizeof(struct participant *));
}

static int participate(gp_job *job)
{
    struct participant participant = {.client = gp_client(job),
                                      .path = gp_argument(job).data,
                                      .join = join,
                                      .get = get,
                                      .put = put,
                                      .leave = leave,
                                      .spawn = spawn};
    int r = participant_serve(&participant);

    go_waitgroup_wait(&seats);
    return r;
}

GP_PLUGIN("participant_" PARTICIPANT, "1.0",
          {"participate", "does what a conformance test orders", participate});
