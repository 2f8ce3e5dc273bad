/* Arguments of jobs: see argument.h. */
#include "argument.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "session.h"

void argument_release(struct argument *argument)
{
    lines_release(&argument->input);
    free(argument->joined);
}

static int argument_join(struct argument *argument, char *const *operands, int n)
{
    size_t size = 0, at = 0;

    for (int i = 0; i < n; i++)
        size += strlen(operands[i]) + 1;
    argument->joined = malloc(size);
    if (!argument->joined)
        return -ENOMEM;
    for (int i = 0; i < n; i++) {
        size_t length = strlen(operands[i]) + 1;

        memcpy(argument->joined + at, operands[i], length);
        at += length;
    }
    argument->value = gc_bytes(argument->joined, size - 1);
    return 0;
}

int argument_make(struct argument *argument, char *const *operands, int n)
{
    *argument = (struct argument){.input = {.fd = STDIN_FILENO, .stop_fd = session_stop_fd()}};
    if (n == 0)
        return 0;
    if (n == 1 && !strcmp(operands[0], "-"))
        return lines_rest(&argument->input, &argument->value);
    return argument_join(argument, operands, n);
}
