#include "lifeline.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "cleanup.h"
#include "endpoint.h"
#include "fd.h"
#include "local.h"
#include "log.h"
#include "why.h"

enum {
    BACKLOG = 512,
    ACCEPTS_PER_TURN = 64,
};

struct lifelines {
    struct hub *hub;
    struct source listener;
    int lock;    /* of the endpoint */
    int reserve; /* given up for a moment to turn somebody away when descriptors run out */
    char path[sizeof(((struct sockaddr_un *)0)->sun_path)];
    struct list newcomers; /* not greeted yet */
    struct list all;
};

struct lifeline {
    struct hub *hub;
    struct peer *peer;
    struct stream stream;
    struct source process;
    struct list link, newcomer;
};

/* ---- saying something ---- */

static struct farewell farewell_of(int error, const char *text)
{
    struct farewell farewell = {.magic = FAREWELL_MAGIC, .version = PROTOCOL_VERSION, .error = error};
    size_t size = text ? strnlen(text, sizeof(farewell.text)) : 0;

    farewell.text_bytes = (uint32_t)size;
    if (size)
        memcpy(farewell.text, text, size);
    return farewell;
}

static void greet(struct lifeline *lifeline)
{
    struct greeting greeting = {.magic = GREETING_MAGIC,
                                .version = PROTOCOL_VERSION,
                                .session = lifeline->peer->secret,
                                .incarnation = lifeline->hub->incarnation};

    list_remove(&lifeline->newcomer);
    stream_say(&lifeline->stream, &greeting, sizeof(greeting));
    explicit_bzero(&greeting, sizeof(greeting));
}

void lifelines_greet(struct hub *hub)
{
    struct lifeline *lifeline, *after;

    list_each_safe (lifeline, after, &hub->lifelines->newcomers, newcomer)
        greet(lifeline);
}

/* ---- the end ---- */

static void drop_source(struct hub *hub, struct source *source)
{
    int fd = poller_remove(&hub->poller, source);

    cleanup_close(&fd);
}

static void lifeline_free(struct lifeline *lifeline)
{
    stream_close(&lifeline->stream);
    drop_source(lifeline->hub, &lifeline->process);
    list_remove(&lifeline->link);
    list_remove(&lifeline->newcomer);
    free(lifeline);
}

void lifeline_end(struct lifeline *lifeline, int error, const char *text)
{
    struct farewell farewell = farewell_of(error, text);

    stream_say(&lifeline->stream, &farewell, sizeof(farewell));
    lifeline_free(lifeline);
}

void lifeline_owner_died(struct lifeline *lifeline)
{
    struct hub *hub = lifeline->hub;
    struct peer *peer = lifeline->peer;

    lifeline_free(lifeline);
    hub_peer_died(hub, peer);
}

static void process_ended(struct source *source, uint32_t events)
{
    lifeline_owner_died(container_of(source, struct lifeline, process));
}

static void stream_ended(struct stream *stream, int error, const char *text)
{
    struct lifeline *lifeline = container_of(stream, struct lifeline, stream);
    struct hub *hub = lifeline->hub;
    struct peer *peer = lifeline->peer;

    if (!error) {
        lifeline_owner_died(lifeline);
        return;
    }
    lifeline_end(lifeline, error, text);
    hub_peer_died(hub, peer);
}

/* ---- the beginning ---- */

static bool ended_already(int fd)
{
    struct pollfd poll_fd = {.fd = fd, .events = POLLRDHUP};

    return poll(&poll_fd, 1, 0) > 0;
}

/* A pid names its process only while that process holds the stream, so the stream is looked at after the
 * pidfd was opened. Without a pidfd (another pid namespace) the stream alone decides. */
static int watch_process(struct lifeline *lifeline, int pid)
{
    int fd = pid > 0 ? pidfd_open(pid, 0) : -1;
    int r = fd < 0 && (errno == EMFILE || errno == ENFILE) && pid > 0 ? -errno : 0;

    if (!r && ended_already(lifeline->stream.source.fd))
        r = -ESRCH;
    if (!r && fd >= 0)
        r = poller_add(&lifeline->hub->poller, &lifeline->process, fd, EPOLLIN, process_ended);
    if (r < 0)
        cleanup_close(&fd);
    return r;
}

static struct lifeline *lifeline_new(struct hub *hub, int fd, struct credentials who)
{
    struct lifeline *lifeline = calloc(1, sizeof(*lifeline));

    if (!lifeline)
        return NULL;
    lifeline->hub = hub;
    lifeline->process.fd = -1;
    list_init(&lifeline->link);
    list_init(&lifeline->newcomer);
    if (stream_open(&lifeline->stream, hub, fd, who, stream_ended) < 0) {
        free(lifeline);
        return NULL;
    }
    list_append(&hub->lifelines->all, &lifeline->link);
    list_append(&hub->lifelines->newcomers, &lifeline->newcomer);
    return lifeline;
}

struct lifeline *lifeline_adopt(struct hub *hub, int fd, struct credentials who, uint64_t host)
{
    struct lifeline *lifeline = lifeline_new(hub, fd, who);

    if (!lifeline) {
        close(fd);
        return NULL;
    }
    lifeline->peer = hub_peer_new(hub, who, host, lifeline, false);
    if (!lifeline->peer) {
        lifeline_free(lifeline);
        return NULL;
    }
    return lifeline;
}

static int credentials_of(int fd, struct credentials *who)
{
    struct ucred peer;
    socklen_t size = sizeof(peer);

    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size))
        return -errno;
    *who = (struct credentials){peer.uid, peer.gid, peer.pid, true};
    return 0;
}

static const char no_descriptors[] =
    "the daemon has no file descriptors left; raise its limit (LimitNOFILE=)";

static void log_no_descriptors(void)
{
    log_error("event=no_descriptors do=\"raise the limit of open files\"");
}

static void give_up(struct lifeline *lifeline, int error)
{
    struct hub *hub = lifeline->hub;
    struct peer *peer = lifeline->peer;

    if (error != -ESRCH)
        log_no_descriptors();
    lifeline_end(lifeline, error, error == -ESRCH ? NULL : no_descriptors);
    hub_peer_died(hub, peer);
}

/* What there is to say to somebody who is not let in. Takes `fd`. */
static void say_farewell(int fd, int error, const char *text)
{
    struct farewell farewell = farewell_of(error, text);

    if (send(fd, &farewell, sizeof(farewell), MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
        log_debug("event=lifeline_write_failed error=%d", errno);
    close(fd);
}

/* Takes `fd`. */
static void take_in(struct hub *hub, int fd)
{
    struct credentials who;
    int r = credentials_of(fd, &who);

    if (r == 0 && who.uid >= ACCOUNT_KEYS)
        r = -EPERM;
    struct lifeline *lifeline = r < 0 ? NULL : lifeline_adopt(hub, fd, who, 0);
    if (r < 0)
        say_farewell(fd, r, "user numbers from 2147483648 are those of keys: nobody with one is let in");
    else if (lifeline && (r = watch_process(lifeline, who.pid)) < 0)
        give_up(lifeline, r);
}

/* Everybody waiting would be told again and again that the daemon is ready: turn them away instead. */
static void turn_away(struct lifelines *lifelines)
{
    int fd;

    cleanup_close(&lifelines->reserve);
    fd = accept4(lifelines->listener.fd, NULL, NULL, SOCK_CLOEXEC);
    if (fd >= 0)
        say_farewell(fd, -EMFILE, no_descriptors);
    lifelines->reserve = open("/dev/null", O_RDONLY | O_CLOEXEC);
    log_no_descriptors();
}

static void listener_ready(struct source *source, uint32_t events)
{
    struct lifelines *lifelines = container_of(source, struct lifelines, listener);

    for (int i = 0; i < ACCEPTS_PER_TURN; i++) {
        int fd = accept4(source->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd >= 0)
            take_in(lifelines->hub, fd);
        else if (errno == EMFILE || errno == ENFILE)
            turn_away(lifelines);
        else
            return;
    }
}

/* ---- the socket ---- */

static int lock_endpoint(struct lifelines *lifelines, const char *path, char **why)
{
    char lock[sizeof(lifelines->path) + 8];

    snprintf(lock, sizeof(lock), "%s.lock", path);
    lifelines->lock = open(lock, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (lifelines->lock < 0)
        return why_set(why, -errno, "cannot make %s: %s", lock, strerror(errno));
    if (!flock(lifelines->lock, LOCK_EX | LOCK_NB))
        return 0;
    return why_set(why, -EBUSY,
                   "another daemon listens at ipc://%s; stop it, or give this one another --endpoint", path);
}

static int listen_at(struct lifelines *lifelines, unsigned mode, char **why)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    memcpy(address.sun_path, lifelines->path, sizeof(address.sun_path));
    if (fd < 0)
        return why_set(why, -errno, "cannot make a socket: %s", strerror(errno));
    unlink(lifelines->path); /* ours: the lock says that nobody listens there */
    if (bind(fd, (struct sockaddr *)&address, sizeof(address)) || chmod(lifelines->path, mode) ||
        listen(fd, BACKLOG)) {
        int error = -errno;
        close(fd);
        return why_set(why, error, "cannot listen at %s: %s", lifelines->path, strerror(-error));
    }
    int r = poller_add(&lifelines->hub->poller, &lifelines->listener, fd, EPOLLIN, listener_ready);
    if (r < 0)
        close(fd);
    return r;
}

int lifelines_open(struct hub *hub, const char *path, unsigned mode, char **why)
{
    struct lifelines *lifelines = calloc(1, sizeof(*lifelines));

    if (!lifelines)
        return why_set(why, -ENOMEM, "out of memory");
    *lifelines = (struct lifelines){.hub = hub, .listener.fd = -1, .lock = -1};
    lifelines->reserve = open("/dev/null", O_RDONLY | O_CLOEXEC);
    list_init(&lifelines->newcomers);
    list_init(&lifelines->all);
    hub->lifelines = lifelines;
    int n = snprintf(lifelines->path, sizeof(lifelines->path), "%s" LIFELINE_SUFFIX, path);
    if (n < 0 || (size_t)n >= sizeof(lifelines->path))
        return why_set(why, -ENAMETOOLONG, "the path of ipc://%s is too long for a socket; at most %zu bytes",
                       path, sizeof(lifelines->path) - sizeof(LIFELINE_SUFFIX));
    int r = lock_endpoint(lifelines, path, why);
    return r < 0 ? r : listen_at(lifelines, mode, why);
}

/* While the lock is held: behind it they may be another daemon's. libzmq leaves its socket there. */
static void remove_sockets(struct lifelines *lifelines)
{
    unlink(lifelines->path);
    lifelines->path[strlen(lifelines->path) - strlen(LIFELINE_SUFFIX)] = '\0';
    unlink(lifelines->path);
}

void lifelines_close(struct hub *hub, int error)
{
    struct lifelines *lifelines = hub->lifelines;
    struct lifeline *lifeline, *after;

    if (!lifelines)
        return;
    list_each_safe (lifeline, after, &lifelines->all, link) {
        lifeline->peer->lifeline = NULL;
        lifeline_end(lifeline, error, "the daemon stops");
    }
    if (lifelines->listener.fd >= 0)
        remove_sockets(lifelines);
    drop_source(hub, &lifelines->listener);
    cleanup_close(&lifelines->lock);
    cleanup_close(&lifelines->reserve);
    free(lifelines);
    hub->lifelines = NULL;
}
