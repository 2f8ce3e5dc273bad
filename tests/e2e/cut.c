/* One thread moves the bytes of all connections. */
#include "cut.h"
#include "cut_lane.h"

#include <err.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { PAIRS_MAX = 32, LISTENERS = 2 };

struct pair {
    int fd[2]; /* of the client, of the daemon; -1: free */
    bool lifeline;
    struct cut_lane lane; /* of a lifeline */
};

struct cut {
    char folder[64], endpoint[128];
    char behind[LISTENERS][128]; /* paths of the daemon's sockets: connection, lifeline */
    int listener[LISTENERS];
    int event_fd;
    atomic_bool cutting, stopping;
    atomic_int cuts;
    pthread_t thread;
    struct pair pairs[PAIRS_MAX];
};

static struct sockaddr_un address_of(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%.100s", path);
    return address;
}

static int listen_at(const char *path)
{
    struct sockaddr_un address = address_of(path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) < 0 || listen(fd, 16) < 0)
        err(1, "listen at %s", path);
    return fd;
}

static int connect_to(const char *path)
{
    struct sockaddr_un address = address_of(path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) < 0)
        err(1, "connect to %s", path);
    return fd;
}

static void pair_close(struct pair *pair)
{
    close(pair->fd[0]);
    close(pair->fd[1]);
    cut_lane_clear(&pair->lane);
    pair->fd[0] = pair->fd[1] = -1;
}

static void accept_pair(struct cut *cut, int which)
{
    int fd = accept4(cut->listener[which], NULL, NULL, SOCK_CLOEXEC);
    if (fd < 0)
        return;
    for (int i = 0; i < PAIRS_MAX; i++)
        if (cut->pairs[i].fd[0] < 0) {
            cut->pairs[i] = (struct pair){.fd = {fd, connect_to(cut->behind[which])}, .lifeline = which == 1};
            cut_lane_init(&cut->pairs[i].lane);
            return;
        }
    errx(1, "cut: too many connections");
}

static bool move_bytes(struct pair *pair, int side)
{
    char bytes[65536];
    int to = pair->fd[!side];
    ssize_t n = read(pair->fd[side], bytes, sizeof bytes);
    if (n <= 0)
        return false;
    if (pair->lifeline)
        return cut_lane_move(&pair->lane, side ? LANE_DAEMON : LANE_CLIENT, bytes, (size_t)n, to,
                             pair->fd[0]);
    return send(to, bytes, (size_t)n, MSG_NOSIGNAL) == n;
}

/* A connection ends; a lane loses its frames, since the end of its stream would be a death. */
static void cut_pairs(struct cut *cut)
{
    for (int i = 0; i < PAIRS_MAX; i++) {
        struct pair *pair = &cut->pairs[i];
        if (pair->fd[0] < 0 || (pair->lifeline && !cut_lane_lose(&pair->lane, pair->fd[0])))
            continue;
        if (!pair->lifeline)
            pair_close(pair);
        atomic_fetch_add(&cut->cuts, 1);
    }
}

static void pump_once(struct cut *cut)
{
    struct pollfd fds[1 + LISTENERS + 2 * PAIRS_MAX];
    fds[0] = (struct pollfd){.fd = cut->event_fd, .events = POLLIN};
    for (int i = 0; i < LISTENERS; i++)
        fds[1 + i] = (struct pollfd){.fd = cut->listener[i], .events = POLLIN};
    struct pollfd *pairs = fds + 1 + LISTENERS;
    for (int i = 0; i < 2 * PAIRS_MAX; i++)
        pairs[i] = (struct pollfd){.fd = cut->pairs[i / 2].fd[i % 2], .events = POLLIN};
    poll(fds, 1 + LISTENERS + 2 * PAIRS_MAX, -1);
    eventfd_t count;
    if (fds[0].revents)
        eventfd_read(cut->event_fd, &count);
    for (int i = 0; i < 2 * PAIRS_MAX; i++) {
        struct pair *pair = &cut->pairs[i / 2];
        if (pairs[i].revents && pair->fd[0] >= 0 && !move_bytes(pair, i % 2))
            pair_close(pair);
    }
    if (atomic_exchange(&cut->cutting, false))
        cut_pairs(cut);
    for (int i = 0; i < LISTENERS; i++)
        if (fds[1 + i].revents)
            accept_pair(cut, i);
}

static void *run(void *arg)
{
    struct cut *cut = arg;
    while (!atomic_load(&cut->stopping))
        pump_once(cut);
    return NULL;
}

struct cut *cut_start(const struct node *node)
{
    struct cut *cut = calloc(1, sizeof *cut);
    char path[128];
    if (!cut)
        err(1, "cut");
    snprintf(cut->folder, sizeof cut->folder, "/tmp/cut.XXXXXX");
    if (!mkdtemp(cut->folder))
        err(1, "mkdtemp");
    const char *suffix[LISTENERS] = {"", ".life"};
    for (int i = 0; i < LISTENERS; i++) {
        snprintf(cut->behind[i], sizeof cut->behind[i], "%.100s%s", node->endpoint + sizeof "ipc://" - 1,
                 suffix[i]);
        snprintf(path, sizeof path, "%s/socket%s", cut->folder, suffix[i]);
        cut->listener[i] = listen_at(path);
    }
    for (int i = 0; i < PAIRS_MAX; i++)
        cut->pairs[i].fd[0] = cut->pairs[i].fd[1] = -1;
    snprintf(cut->endpoint, sizeof cut->endpoint, "ipc://%s/socket", cut->folder);
    cut->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (pthread_create(&cut->thread, NULL, run, cut))
        errx(1, "cut: no thread");
    return cut;
}

const char *cut_endpoint(const struct cut *cut)
{
    return cut->endpoint;
}

void cut_now(struct cut *cut)
{
    atomic_store(&cut->cutting, true);
    eventfd_write(cut->event_fd, 1);
}

int cut_count(const struct cut *cut)
{
    return atomic_load(&cut->cuts);
}

void cut_stop(struct cut *cut)
{
    char command[128];
    atomic_store(&cut->stopping, true);
    eventfd_write(cut->event_fd, 1);
    pthread_join(cut->thread, NULL);
    for (int i = 0; i < PAIRS_MAX; i++)
        if (cut->pairs[i].fd[0] >= 0)
            pair_close(&cut->pairs[i]);
    for (int i = 0; i < LISTENERS; i++)
        close(cut->listener[i]);
    close(cut->event_fd);
    snprintf(command, sizeof command, "rm -rf %s", cut->folder);
    if (system(command))
        warnx("%s is left behind", cut->folder);
    free(cut);
}
