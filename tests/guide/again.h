/* A program runs itself once more, as a process of its own, and hears what it prints. */
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guide.h"

enum { AGAIN_BYTES_MAX = 65536 };

struct again {
    int status;
    char out[AGAIN_BYTES_MAX];
};

/* `environment` is "NAME=VALUE" or more of them, `arguments` the words behind the program's name. To be freed. */
static inline struct again *run_again(const char *environment, const char *arguments)
{
    struct again *again = calloc(1, sizeof *again);
    char self[512] = "", command[1024];
    size_t n;
    FILE *out;

    must(again && readlink("/proc/self/exe", self, sizeof self - 1) > 0);
    snprintf(command, sizeof command, "%s '%s' %s 2>&1", environment, self, arguments);
    out = popen(command, "r");
    must(out);
    n = fread(again->out, 1, sizeof again->out - 1, out);
    again->status = pclose(out);
    must(n > 0 && WIFEXITED(again->status));
    again->status = WEXITSTATUS(again->status);
    return again;
}
