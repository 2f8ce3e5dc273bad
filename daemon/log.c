#include "log.h"

#include <jansson.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const struct {
    const char *name;
    int journal; /* syslog's number */
} levels[] = {
    [LOG_LEVEL_ERROR] = {"error", 3},
    [LOG_LEVEL_WARN] = {"warning", 4},
    [LOG_LEVEL_INFO] = {"info", 6},
    [LOG_LEVEL_DEBUG] = {"debug", 7},
};

static struct {
    pthread_mutex_t lock; /* of tokens, left_out, refilled_s */
    enum log_level level;
    bool json, journal;
    int tokens;
    unsigned long left_out;
    time_t refilled_s;
} logger = {.lock = PTHREAD_MUTEX_INITIALIZER, .level = LOG_LEVEL_INFO, .tokens = LOG_BURST};

void log_start(enum log_level level, bool json)
{
    logger.level = level;
    logger.json = json;
    logger.journal = !json && getenv("JOURNAL_STREAM");
}

bool log_on(enum log_level level)
{
    return level <= logger.level;
}

/* Whether a line may go out; *left_out is what the next line that does has to admit. */
static bool take_token(enum log_level level, unsigned long *left_out)
{
    struct timespec now;
    bool taken;

    clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    pthread_mutex_lock(&logger.lock);
    int64_t refill = (now.tv_sec - logger.refilled_s) * (int64_t)LOG_LINES_PER_S + logger.tokens;
    logger.tokens = refill > LOG_BURST ? LOG_BURST : (int)refill;
    logger.refilled_s = now.tv_sec;
    taken = logger.tokens > 0 || level == LOG_LEVEL_ERROR;
    if (taken) {
        logger.tokens -= logger.tokens > 0;
        *left_out = logger.left_out;
        logger.left_out = 0;
    } else
        logger.left_out++;
    pthread_mutex_unlock(&logger.lock);
    return taken;
}

/* The next key=value of *text; 0 at its end. The value is cut out of its quotes. */
static int next_pair(char **text, const char **key, const char **value)
{
    char *at = *text + strspn(*text, " "), *end;

    *key = at;
    if (!*at)
        return 0;
    at += strcspn(at, "= ");
    if (*at != '=') {
        *value = "";
        *text = *at ? at + 1 : at;
        *at = '\0';
        return 1;
    }
    *at++ = '\0';
    bool quoted = *at == '"';
    *value = at + quoted;
    end = quoted ? strchr(at + 1, '"') : at + strcspn(at, " ");
    if (!end)
        end = at + strlen(at);
    *text = *end ? end + 1 : end;
    *end = '\0';
    return 1;
}

static int json_line(enum log_level level, char *text, char *line, size_t size)
{
    json_t *object = json_object();
    const char *key, *value;
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    json_object_set_new(object, "time_us", json_integer(now.tv_sec * 1000000LL + now.tv_nsec / 1000));
    json_object_set_new(object, "level", json_string(levels[level].name));
    while (next_pair(&text, &key, &value))
        json_object_set_new(object, key, json_string(value));
    size_t n = json_dumpb(object, line, size - 1, JSON_COMPACT);
    json_decref(object);
    if (!n || n >= size)
        return snprintf(line, size, "{\"level\":\"error\",\"event\":\"log line too long\"}\n");
    line[n] = '\n';
    return (int)n + 1;
}

static int plain_line(enum log_level level, const char *text, char *line, size_t size)
{
    if (logger.journal)
        return snprintf(line, size, "<%d>%s\n", levels[level].journal, text);
    return snprintf(line, size, "level=%s %s\n", levels[level].name, text);
}

void log_write(enum log_level level, const char *format, ...)
{
    char text[LOG_LINE_BYTES - 256], line[LOG_LINE_BYTES];
    unsigned long left_out = 0;
    va_list arguments;

    if (!log_on(level) || !take_token(level, &left_out))
        return;
    int n = left_out ? snprintf(text, sizeof(text), "left_out=%lu ", left_out) : 0;
    va_start(arguments, format);
    vsnprintf(text + n, sizeof(text) - (size_t)n, format, arguments);
    va_end(arguments);
    for (char *at = text; *at; at++)
        if ((unsigned char)*at < ' ')
            *at = ' ';
    n = logger.json ? json_line(level, text, line, sizeof(line))
                    : plain_line(level, text, line, sizeof(line));
    if (n > 0 && write(STDERR_FILENO, line, (size_t)n) < 0)
        return; /* nobody is left to be told */
}
