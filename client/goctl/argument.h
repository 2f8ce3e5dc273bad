/* The argument of a job, from the command line: one operand as it is, several with zero bytes between them, or standard
 * input for "-". */
#pragma once

#include "goclient.h"
#include "lines.h"

struct argument {
    struct lines input;
    char *joined;
    struct gc_value value; /* lives until it is released */
};

/* 0, or what reading gave, or -ENOMEM. To be released in either case. */
int argument_make(struct argument *argument, char *const *operands, int n);
void argument_release(struct argument *argument);
