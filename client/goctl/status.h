/* Exit statuses, and how an error becomes one. They are an interface: scripts test them. */
#pragma once

#include <stdio.h>

enum exit_status {
    STATUS_OK,
    STATUS_FAILURE,
    STATUS_USAGE,
    STATUS_TIMEOUT,
    STATUS_CLOSED,
    STATUS_NOT_FOUND,
    STATUS_CANCELLED,
    STATUS_UNAVAILABLE,
    STATUS_WOULD_BLOCK,
    STATUS_JOB_FAILED,
    STATUS_BUSY,
    STATUS_NO_READER = 64, /* inside only: ends the command, which then exits with STATUS_OK */

    /* Of a command that goctl runs, as shells have them. */
    STATUS_CANNOT_RUN = 126,
    STATUS_NO_COMMAND = 127,
    STATUS_SIGNAL = 128, /* and the number of the signal that it died of */
};

/* The exit status for a negative errno value of the client library; STATUS_FAILURE when the table has none. */
enum exit_status status_of(int error);

/* The list of exit statuses, for the help. */
void status_help(FILE *out);
