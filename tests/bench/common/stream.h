/* Stream sockets to servers that speak in bytes: connected, written to whole, read through a buffer. A failure ends the program. */
#pragma once

#include <stddef.h>

/* `where` is unix:PATH or a port of this machine. */
int stream_connect(const char *where);
void write_all(int fd, const void *data, size_t size);

/* A buffer that is read into; bytes from `at` to `n` have not been taken. */
struct input {
    int fd;
    char *data;
    size_t at, n, room;
};

void input_begin(struct input *in, int fd);
/* Reads until at least `bytes` are there; where they begin. */
const char *input_bytes(struct input *in, size_t bytes);
/* Reads until a line is there, and takes it: without its \r\n, and terminated. */
const char *input_line(struct input *in);
