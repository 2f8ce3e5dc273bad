/*
 * Stands in the place of goroutined-host: lets a tester at the lifeline and the connections of the host, then becomes the
 * real one ($CHAOS_HOST), in the same process, for a host speaks for itself alone (IP9). Connections to the daemon are
 * made here, where their credentials are right, and go to the tester.
 *
 * To the socket $CHAOS_TESTER: one message of struct shim_asks, for --run with the lifeline and the connections; back
 * comes one, with the lifeline that the host shall have and the endpoint where it shall connect.
 */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "endpoint.h"
#include "host_protocol.h"
#include "shim.h"

static int reach(const char *path, int type)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);

    snprintf(address.sun_path, sizeof(address.sun_path), "%.100s", path);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
        err(1, "%s", path);
    return fd;
}

/* The lifeline; for frames over ZeroMQ connections too. */
static int gather(int *fds)
{
    const char *lane = getenv(LANE_VARIABLE), *endpoint = getenv(ENDPOINT_VARIABLE);
    int n = 0;

    fds[n++] = HOST_FD;
    while (lane && endpoint && strcmp(lane, LANE_ZMQ) == 0 && n < SHIM_FDS_MAX)
        fds[n++] = reach(endpoint + strlen(ENDPOINT_IPC), SOCK_STREAM);
    return n;
}

static void be_led(int tester)
{
    struct shim_says says;
    int fds[SHIM_FDS_MAX], n = gather(fds);

    if (shim_send(tester, &(struct shim_asks){.run = true, .pid = getpid()}, sizeof(struct shim_asks), fds,
                  n) < 0)
        err(1, "shim");
    if (shim_receive(tester, &says, sizeof(says), fds, &n) < 0 || n != 1)
        err(1, "shim");
    dup2(fds[0], HOST_FD);
    setenv(ENDPOINT_VARIABLE, says.endpoint, 1);
}

int main(int argc, char **argv)
{
    const char *tester = getenv("CHAOS_TESTER");
    char *host = getenv("CHAOS_HOST");
    struct shim_says says;
    int none[SHIM_FDS_MAX], none_n;

    if (argc < 2 || !tester || !host)
        errx(2, "shim: for the tests in this folder");
    int fd = reach(tester, SOCK_SEQPACKET);
    if (strcmp(argv[1], "--run") == 0)
        be_led(fd);
    else if (shim_send(fd, &(struct shim_asks){.pid = getpid()}, sizeof(struct shim_asks), NULL, 0) < 0 ||
             shim_receive(fd, &says, sizeof(says), none, &none_n) < 0)
        err(1, "shim");
    execv(host, argv);
    err(1, "%s", host);
}
