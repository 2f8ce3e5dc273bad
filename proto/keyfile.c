#include "keyfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { Z85_GROUP = 5, Z85_BASE = 85 };

static int fail(char *why, int error, const char *format, ...) __attribute__((format(printf, 3, 4)));

static int fail(char *why, int error, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(why, KEY_WHY_BYTES, format, arguments);
    va_end(arguments);
    return error;
}

/* Five characters are one number of 32 bits: not every five are. */
static bool group_good(const char *text)
{
    static const char digits[] =
        "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#";
    uint64_t value = 0;

    for (int i = 0; i < Z85_GROUP; i++) {
        const char *digit = text[i] ? strchr(digits, text[i]) : NULL;
        if (!digit)
            return false;
        value = value * Z85_BASE + (uint64_t)(digit - digits);
    }
    return value <= UINT32_MAX;
}

bool key_text_good(const char *text, size_t size)
{
    if (size != KEY_CHARS)
        return false;
    for (size_t i = 0; i < size; i += Z85_GROUP)
        if (!group_good(text + i))
            return false;
    return true;
}

static int check_owner(int fd, const char *path, char *why)
{
    struct stat st;

    if (fstat(fd, &st) < 0)
        return fail(why, -errno, "cannot look at %s: %s", path, strerror(errno));
    if (!S_ISREG(st.st_mode))
        return fail(why, -EINVAL, "%s is not a file of keys; `goctl keygen --out FILE` makes one", path);
    if (st.st_uid != geteuid() && st.st_uid != 0)
        return fail(why, -EACCES, "%s is a secret key of user %u: it must belong to you or root", path,
                    st.st_uid);
    if (st.st_mode & 077)
        return fail(why, -EACCES, "%s is a secret key with mode %04o: others may reach it; chmod 600 %s",
                    path, st.st_mode & 07777, path);
    return 0;
}

/* A line that says something: `public KEY` or `secret KEY`. */
static bool read_line(const char *line, size_t size, struct key_pair *keys)
{
    static const char *const words[] = {"public ", "secret "};
    struct key_text *const to[] = {&keys->public, &keys->secret};

    for (int i = 0; i < 2; i++) {
        size_t word = strlen(words[i]);
        if (size != word + KEY_CHARS || memcmp(line, words[i], word) != 0)
            continue;
        memcpy(to[i]->text, line + word, KEY_CHARS);
        return key_text_good(to[i]->text, KEY_CHARS);
    }
    return false;
}

static int read_text(const char *path, const char *text, struct key_pair *keys, char *why)
{
    for (int line = 1; *text; line++) {
        size_t size = strcspn(text, "\n");
        if (size && *text != '#' && !read_line(text, size, keys))
            return fail(why, -EINVAL,
                        "%s:%d: neither `public KEY` nor `secret KEY` with a key of %d characters", path,
                        line, KEY_CHARS);
        text += size + (text[size] == '\n');
    }
    if (*keys->public.text && *keys->secret.text)
        return 0;
    return fail(why, -EINVAL, "%s has no line `%s KEY`; `goctl keygen --out FILE` makes a file of keys", path,
                *keys->public.text ? "secret" : "public");
}

static int read_open(int fd, const char *path, struct key_pair *keys, char *why)
{
    char text[KEY_FILE_BYTES_MAX + 1];
    int r = check_owner(fd, path, why);
    ssize_t n = r < 0 ? 0 : read(fd, text, sizeof(text));

    if (n < 0)
        r = fail(why, -errno, "cannot read %s: %s", path, strerror(errno));
    else if (n == sizeof(text))
        r = fail(why, -EINVAL, "%s has more than %d bytes: it is no file of keys", path, KEY_FILE_BYTES_MAX);
    if (r == 0) {
        text[n] = '\0';
        r = read_text(path, text, keys, why);
    }
    explicit_bzero(text, sizeof(text));
    return r;
}

int key_file_read(const char *path, struct key_pair *keys, char *why)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

    *keys = (struct key_pair){0};
    if (fd < 0)
        return fail(why, -errno, "cannot open the secret key %s: %s", path, strerror(errno));
    int r = read_open(fd, path, keys, why);
    close(fd);
    if (r < 0)
        explicit_bzero(keys, sizeof(*keys));
    return r;
}
