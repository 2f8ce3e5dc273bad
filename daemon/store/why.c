#include "why.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

int why_set(char **why, int error, const char *format, ...)
{
    va_list arguments;

    if (!why)
        return error;
    free(*why);
    va_start(arguments, format);
    if (vasprintf(why, format, arguments) < 0)
        *why = NULL;
    va_end(arguments);
    return error;
}
