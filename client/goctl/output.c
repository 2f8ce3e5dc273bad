/*
 * Stdio keeps what it could not write and tries again at exit, so the first failure is kept here and told by every
 * later call. Main thread only.
 */
#include "output.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "options.h"
#include "status.h"

/* The first error of standard output. Stdio remembers that there was one, but not which. */
static int failure;

/* Whether it is a pipe whose reader went away. */
static bool is_unread(int fd)
{
    struct pollfd about = {fd, 0, 0};

    return poll(&about, 1, 0) == 1 && about.revents & POLLERR;
}

/* For a call of stdio that failed just now; or before, in a print that nobody looked at, whose error is lost. */
static int failed(void)
{
    if (!failure)
        failure = errno ? -errno : is_unread(STDOUT_FILENO) ? -EPIPE : -EIO;
    return failure;
}

int output_flush(void)
{
    if (failure)
        return failure;
    errno = 0;
    return fflush(stdout) || ferror(stdout) ? failed() : 0;
}

int output_put(const struct options *options, const void *data, size_t size)
{
    errno = 0;
    if ((size && fwrite(data, 1, size, stdout) != size) || (!options->raw && putchar('\n') == EOF))
        return failed();
    return 0;
}

int output_bytes(const struct options *options, const void *data, size_t size)
{
    int r = output_put(options, data, size);

    return r < 0 ? r : output_flush();
}

int output_json(json_t *object)
{
    int r;

    if (!object)
        return -ENOMEM;
    errno = 0;
    r = json_dumpf(object, stdout, JSON_COMPACT);
    json_decref(object);
    if (r < 0 || putchar('\n') == EOF)
        return failed();
    return output_flush();
}

static bool is_pipe(int fd)
{
    struct stat about;

    return !fstat(fd, &about) && S_ISFIFO(about.st_mode);
}

/*
 * A pipe of one page has one buffer, so that poll calls it writable exactly when it is empty. Where its size
 * cannot be changed, poll says writable too early and the remaining bytes are looked at every millisecond.
 */
static void shrink_pipe(int fd)
{
    static bool done;

    if (!done)
        (void)fcntl(fd, F_SETPIPE_SZ, (int)sysconf(_SC_PAGESIZE));
    done = true;
}

int output_taken(int stop_fd)
{
    struct pollfd fds[] = {{STDOUT_FILENO, POLLOUT, 0}, {stop_fd, POLLIN, 0}};
    int left = 0;

    if (!is_pipe(STDOUT_FILENO))
        return 0;
    shrink_pipe(STDOUT_FILENO);
    while (!ioctl(STDOUT_FILENO, FIONREAD, &left) && left > 0) {
        if (fds[0].revents & (POLLERR | POLLHUP))
            return -EPIPE;
        if (fds[1].revents)
            return -ECANCELED;
        if (fds[0].revents & POLLOUT) {
            struct timespec soon = {.tv_nsec = 1000000};

            nanosleep(&soon, NULL);
        }
        if (poll(fds, 2, -1) < 0)
            fds[0].revents = fds[1].revents = 0;
    }
    return 0;
}

static char *base64(const unsigned char *data, size_t size)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    char *text = malloc((size + 2) / 3 * 4 + 1), *to = text;

    for (size_t i = 0; text && i < size; i += 3) {
        size_t left = size - i;
        uint32_t bits = (uint32_t)data[i] << 16 | (left > 1 ? (uint32_t)data[i + 1] << 8 : 0) |
                        (left > 2 ? data[i + 2] : 0);

        *to++ = digits[bits >> 18];
        *to++ = digits[bits >> 12 & 63];
        *to++ = left > 1 ? digits[bits >> 6 & 63] : '=';
        *to++ = left > 2 ? digits[bits & 63] : '=';
    }
    if (text)
        *to = '\0';
    return text;
}

int json_set_bytes(json_t *object, const char *key, const void *data, size_t size)
{
    json_t *text = json_stringn(size ? data : "", size);
    char coded_key[64];
    char *coded;
    int r;

    if (text)
        return json_object_set_new(object, key, text) ? -ENOMEM : 0;
    coded = base64(data, size);
    if (!coded)
        return -ENOMEM;
    snprintf(coded_key, sizeof coded_key, "%s_base64", key);
    r = json_object_set_new(object, coded_key, json_string(coded));
    free(coded);
    return r ? -ENOMEM : 0;
}

const char *format_instant(int64_t us, char text[static INSTANT_TEXT_BYTES])
{
    time_t seconds = us / 1000000;
    struct tm parts;
    size_t n;

    gmtime_r(&seconds, &parts);
    n = strftime(text, INSTANT_TEXT_BYTES, "%Y-%m-%dT%H:%M:%S", &parts);
    snprintf(text + n, INSTANT_TEXT_BYTES - n, ".%06dZ", (int)(us % 1000000));
    return text;
}

int output_fail(int error)
{
    if (error == -EPIPE)
        return STATUS_NO_READER;
    fprintf(stderr, "goctl: cannot write to standard output: %s\n", strerror(-error));
    return STATUS_FAILURE;
}
