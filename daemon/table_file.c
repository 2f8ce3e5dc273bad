#include "table_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cleanup.h"
#include "why.h"

static int complain(const char *path, int line, int error, const char *words, char **why)
{
    _cleanup_(cleanup_free) char *said = why ? *why : NULL;

    if (why)
        *why = NULL;
    return why_set(why, error, "%s:%d: %s", path, line, said ? said : words);
}

static int read_row(const char *path, int line, char *text, const struct table_reader *reader, char **why)
{
    const char *words[TABLE_ROW_WORDS_MAX + 1];
    unsigned n = 0;
    char *rest, *word = strtok_r(text, " \t\r", &rest);

    for (; word && n <= reader->words; word = strtok_r(NULL, " \t\r", &rest))
        words[n++] = word;
    if (!n || *words[0] == '#')
        return 0;
    if (n != reader->words) {
        why_set(why, -EINVAL, "a row is %s", reader->form);
        return complain(path, line, -EINVAL, "", why);
    }
    int r = reader->row(reader->context, words, why);
    return r < 0 ? complain(path, line, r, strerror(-r), why) : 0;
}

int table_text_read(const char *path, char *text, size_t size, const struct table_reader *reader, char **why)
{
    char *end = text + size;
    int r = 0;

    for (int line = 1; r == 0 && text < end; line++) {
        char *newline = memchr(text, '\n', (size_t)(end - text));
        char *stop = newline ? newline : end;
        if (memchr(text, '\0', (size_t)(stop - text)))
            return complain(path, line, -EINVAL, "this is no text", why);
        *stop = '\0';
        r = read_row(path, line, text, reader, why);
        text = stop + 1;
    }
    return r;
}

static int check_owner(int fd, const char *path, char **why)
{
    struct stat st;

    if (fstat(fd, &st) < 0)
        return why_set(why, -errno, "cannot look at %s: %s", path, strerror(errno));
    if (!S_ISREG(st.st_mode))
        return why_set(why, -EINVAL, "%s is not a regular file", path);
    if (st.st_size > TABLE_FILE_BYTES_MAX)
        return why_set(why, -EINVAL, "%s has %lld bytes; %d are allowed", path, (long long)st.st_size,
                       TABLE_FILE_BYTES_MAX);
    if ((st.st_uid != geteuid() && st.st_uid != 0) || st.st_mode & 022)
        return why_set(
            why, -EACCES,
            "%s belongs to user %u with mode %04o: it must belong to you or root and be writable by nobody "
            "else; chmod go-w %s",
            path, st.st_uid, st.st_mode & 07777, path);
    return 0;
}

static int read_open(int fd, const char *path, const struct table_reader *reader, char **why)
{
    _cleanup_(cleanup_free) char *text = malloc(TABLE_FILE_BYTES_MAX + 1);
    size_t size = 0;
    ssize_t n = 0;

    if (!text)
        return -ENOMEM;
    int r = check_owner(fd, path, why);
    while (r == 0 && size < TABLE_FILE_BYTES_MAX &&
           (n = read(fd, text + size, TABLE_FILE_BYTES_MAX - size)) > 0)
        size += (size_t)n;
    if (n < 0)
        r = why_set(why, -errno, "cannot read %s: %s", path, strerror(errno));
    return r < 0 ? r : table_text_read(path, text, size, reader, why);
}

int table_file_read(const char *path, const struct table_reader *reader, char **why)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

    if (fd < 0)
        return why_set(why, -errno, "cannot open %s: %s", path, strerror(errno));
    int r = read_open(fd, path, reader, why);
    close(fd);
    return r;
}
