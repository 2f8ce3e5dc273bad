#include "nats_text.h"

#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stream.h"

static struct input in;

void nats_say(const char *text)
{
    write_all(in.fd, text, strlen(text));
}

void nats_write(const char *text, size_t bytes)
{
    write_all(in.fd, text, bytes);
}

void nats_connect(const char *where)
{
    input_begin(&in, stream_connect(where));
    input_line(&in); /* INFO */
    nats_say("CONNECT {\"verbose\":false,\"pedantic\":false,\"headers\":true,\"no_responders\":true}\r\n");
}

void nats_sync(void)
{
    nats_say("PING\r\n");
    while (strcmp(input_line(&in), "PONG"))
        ;
}

size_t nats_publish(char *at, const char *subject, const char *reply, const void *body, size_t bytes)
{
    size_t n = (size_t)sprintf(at, "PUB %s %s%s%zu\r\n", subject, reply, *reply ? " " : "", bytes);

    memcpy(at + n, body, bytes);
    memcpy(at + n + bytes, "\r\n", 2);
    return n + bytes + 2;
}

/* The line before a message: MSG SUBJECT ID [REPLY] BYTES, or HMSG SUBJECT ID [REPLY] HEADER-BYTES BYTES. */
static char *take_line(void)
{
    char *line;

    while (strncmp(line = (char *)input_line(&in), "MSG ", 4) && strncmp(line, "HMSG ", 5))
        if (!strcmp(line, "PING"))
            nats_say("PONG\r\n");
        else if (*line == '-')
            errx(1, "nats: %s", line);
    return line;
}

static const char *take_bytes(size_t bytes)
{
    const char *at = input_bytes(&in, bytes + 2);

    in.at += bytes + 2;
    return at;
}

bool nats_waits(void)
{
    return in.at == in.n;
}

const char *nats_take_body(size_t *bytes)
{
    *bytes = strtoull(strrchr(take_line(), ' '), NULL, 10);
    return take_bytes(*bytes);
}

/* Whether the line has headers: a word of the server. */
static bool read_line(char *line, struct nats_message *message)
{
    enum { WORDS_MAX = 6 };
    char *words[WORDS_MAX], *rest = line;
    size_t n = 0;

    while (n < WORDS_MAX && (words[n] = strsep(&rest, " ")))
        n++;
    bool headers = *line == 'H';
    size_t least = headers ? 5 : 4;
    if (n < least)
        errx(1, "nats: a message of %zu words", n);
    snprintf(message->reply, sizeof message->reply, "%s", n > least ? words[3] : "");
    message->bytes = strtoull(words[n - 1], NULL, 10);
    return headers;
}

/* A word of the server: nobody is there, or it wants to hear how far its messages have come. */
static void answer_server(const struct nats_message *message)
{
    char answer[NATS_REPLY_BYTES + 64];

    if (!memmem(message->body, message->bytes, " 100 ", 5))
        errx(1, "nats: %.*s", (int)message->bytes, message->body);
    if (*message->reply)
        nats_write(answer, nats_publish(answer, message->reply, "", "", 0));
}

void nats_take(struct nats_message *message)
{
    for (;;) {
        bool headers = read_line(take_line(), message);
        message->body = take_bytes(message->bytes);
        if (!headers)
            return;
        answer_server(message);
    }
}
