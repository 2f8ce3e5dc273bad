/*
 * What the daemon says to its operator: one line of key=value on standard error, or one JSON object with
 * log_start(…, true). Under journald (JOURNAL_STREAM) lines carry its level prefix.
 *
 * Any thread. A line is one write. At most LOG_BURST lines at once and LOG_LINES_PER_S after that; what is
 * left out is counted and said with the next line. Errors are never left out.
 */
#pragma once

#include <stdbool.h>

#include "core.h"

enum {
    LOG_LINES_PER_S = 200,
    LOG_BURST = 1000,
    LOG_LINE_BYTES = 4096, /* longer ones are cut */
};

void log_start(enum log_level level, bool json);
bool log_on(enum log_level level);
/* The format is of key=value pairs; a value with spaces stands in double quotes. Control characters become
 * spaces. */
void log_write(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

#define log_error(...) log_write(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warn(...)  log_write(LOG_LEVEL_WARN, __VA_ARGS__)
#define log_info(...)  log_write(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...) log_write(LOG_LEVEL_DEBUG, __VA_ARGS__)
