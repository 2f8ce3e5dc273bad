/* A participant that is a program: participant_client ENDPOINT SOCKET. Its seats are threads, of one client. */
#include <err.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "seat.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t one_ended = PTHREAD_COND_INITIALIZER;
static int running;

static int64_t join(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) < 0)
        return -errno;
    return fd;
}

static ssize_t get(int64_t seat, void *to, size_t size)
{
    ssize_t n = recv((int)seat, to, size, 0);

    return n < 0 ? -errno : n;
}

static ssize_t put(int64_t seat, const void *it, size_t size)
{
    ssize_t n = send((int)seat, it, size, MSG_NOSIGNAL);

    return n < 0 ? -errno : n;
}

static void leave(int64_t seat)
{
    close((int)seat);
}

static void *serve(void *participant)
{
    int r = participant_serve(participant);

    if (r < 0)
        warnx("a seat ended: %s", strerror(-r));
    pthread_mutex_lock(&lock);
    running--;
    pthread_cond_signal(&one_ended);
    pthread_mutex_unlock(&lock);
    return NULL;
}

static int spawn(struct participant *participant)
{
    pthread_t thread;

    pthread_mutex_lock(&lock);
    int r = pthread_create(&thread, NULL, serve, participant);
    if (r == 0) {
        pthread_detach(thread);
        running++;
    }
    pthread_mutex_unlock(&lock);
    return -r;
}

static void await_seats(void)
{
    pthread_mutex_lock(&lock);
    while (running)
        pthread_cond_wait(&one_ended, &lock);
    pthread_mutex_unlock(&lock);
}

int main(int argc, char **argv)
{
    struct participant participant = {
        .path = argv[2], .join = join, .get = get, .put = put, .leave = leave, .spawn = spawn};
    char why[GC_WHY_BYTES];

    if (argc != 3)
        errx(2, "usage: participant_client ENDPOINT SOCKET");
    struct gc_options options = {.size = sizeof options, .endpoint = argv[1], .answer_ms = 30000};
    if (gc_connect(&options, &participant.client, why) < 0)
        errx(1, "%s", why);
    int r = participant_serve(&participant);
    await_seats();
    gc_disconnect(participant.client);
    return r < 0;
}
