/* Keys: drawn by libzmq, kept in a file that nobody else may read (keyfile.h). */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "goclient_key.h"
#include "last.h"
#include "transport.h"

static_assert((int)GC_KEY_CHARS == (int)KEY_CHARS, "both speak of the same text");

static int no_curve(void)
{
    return last_failed(-ENOTSUP, "this libzmq was built without CURVE: it has no keys", false);
}

GC_API int gc_keygen(struct gc_keys *out)
{
    struct key_pair pair;
    if (transport_zmq_keys(&pair) < 0)
        return no_curve();
    memcpy(out->public_key, pair.public.text, sizeof out->public_key);
    memcpy(out->secret_key, pair.secret.text, sizeof out->secret_key);
    explicit_bzero(&pair, sizeof pair);
    return 0;
}

static int failed(const char *what, const char *path, int error)
{
    char text[GC_WHY_BYTES];
    snprintf(text, sizeof text, "cannot %s %s: %s%s", what, path, strerror(error),
             error == EEXIST ? "; keys are never written over: name another file" : "");
    return last_failed(-error, text, false);
}

static int write_all(int fd, const char *text, size_t size)
{
    while (size) {
        ssize_t n = write(fd, text, size);
        if (n < 0 && errno != EINTR)
            return -errno;
        text += n < 0 ? 0 : n;
        size -= n < 0 ? 0 : (size_t)n;
    }
    return fsync(fd) < 0 ? -errno : 0;
}

static int write_keys(int fd, const struct key_pair *pair)
{
    char text[KEY_FILE_BYTES_MAX];
    int size = snprintf(
        text, sizeof text,
        "# Keys for goroutined over tcp (CURVE), made by gc_keygen_file. Whoever reads the secret one\n"
        "# can take its owner's place: this file is for its owner alone (mode 0600).\n"
        "public %s\nsecret %s\n",
        pair->public.text, pair->secret.text);
    int r = write_all(fd, text, (size_t)size);
    explicit_bzero(text, sizeof text);
    return r;
}

GC_API int gc_keygen_file(const char *path, char public_key[GC_KEY_CHARS + 1])
{
    struct key_pair pair;
    if (transport_zmq_keys(&pair) < 0)
        return no_curve();
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    int r = fd < 0 ? failed("make", path, errno) : write_keys(fd, &pair);
    if (fd >= 0 && r < 0)
        r = failed("write", path, -r);
    if (fd >= 0) {
        close(fd);
        if (r < 0)
            unlink(path);
    }
    memcpy(public_key, pair.public.text, sizeof pair.public.text);
    explicit_bzero(&pair, sizeof pair);
    return r;
}
