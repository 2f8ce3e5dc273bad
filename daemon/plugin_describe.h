/* What is in a plugin, asked of `goroutined-host --describe`. Any thread. */
#pragma once

#include "plugin_file.h"

struct plugin_describer {
    const char *host_program; /* path of goroutined-host */
    struct plugin_sections settings;
    int timeout_ms; /* for answer and end together */
    int stop;       /* readable: end it at once. Borrowed */
};

/*
 * Runs the host program on `copy`, the file people know as `path`. 0 with the answer, on the heap and the caller's;
 * -ETIMEDOUT: it did not end within the timeout and was killed; -ECANCELED: killed because of `stop`; -ENOEXEC: it died
 * or answered nonsense; errors of pipe and posix_spawn. *why then has the words. Blocks until the program has ended.
 */
int plugin_describe_run(const struct plugin_describer *describer, const char *copy, const char *path,
                        char **answer, char **why);

/* Fills name, version and functions of *about from an answer; its memory is freed by plugin_describe_free. 0, or what
 * the answer says is wrong, with the words in about->text; -ENOEXEC: not an answer. */
int plugin_describe_parse(const char *path, const char *answer, struct plugin_about *about);

/* Accepts NULL. */
void plugin_describe_free(void *memory);
