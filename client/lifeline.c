#include "lifeline.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "cleanup.h"
#include "fd.h"

int lifeline_open(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    _cleanup_(cleanup_close) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) < 0)
        return errno == EAGAIN ? -ECONNREFUSED : -errno; /* EAGAIN: its backlog is full */
    int mine = fd;
    fd = -1;
    return mine;
}

static int ended(struct lifeline_news *news, int error, const char *text)
{
    news->error = error;
    snprintf(news->text, sizeof news->text, "%s", text);
    news->greeted = false;
    return 1;
}

void lifeline_farewell(struct lifeline_news *news, const struct farewell *farewell)
{
    size_t bytes = farewell->text_bytes < FAREWELL_TEXT_BYTES ? farewell->text_bytes : FAREWELL_TEXT_BYTES;
    memcpy(news->text, farewell->text, bytes);
    news->text[bytes] = '\0';
    news->error = farewell->error;
    news->greeted = false;
}

int lifeline_read(int fd, struct lifeline_news *news)
{
    struct farewell farewell; /* the larger of the two */
    struct greeting greeting;
    ssize_t size = recv(fd, &greeting.magic, sizeof greeting.magic, MSG_PEEK | MSG_DONTWAIT);
    if (size < 0 && (errno == EAGAIN || errno == EINTR))
        return 0;
    if (size <= 0)
        return ended(news, news->greeted ? -ENETRESET : -ECONNREFUSED, "the daemon is gone");
    size_t want = greeting.magic == GREETING_MAGIC ? sizeof greeting : sizeof farewell;
    if (greeting.magic != GREETING_MAGIC && greeting.magic != FAREWELL_MAGIC)
        return ended(news, -EPROTO, "what answers there is no goroutined");
    size = recv(fd, &farewell, want, MSG_DONTWAIT);
    if (size != (ssize_t)want) /* both are written in one call: what is torn comes from a dying daemon */
        return ended(news, -ENETRESET, "the daemon is gone");
    if (want == sizeof farewell) {
        lifeline_farewell(news, &farewell);
        return 1;
    }
    memcpy(&news->greeting, &farewell, sizeof greeting);
    news->greeted = true;
    return 1;
}
