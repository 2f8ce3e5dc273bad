/*
 * SIGTERM for programs that finish what they have begun. Who starts them may have blocked it, so that one that comes early is
 * not their death: it waits until take_term.
 */
#ifndef CHAOS_TERM_H
#define CHAOS_TERM_H

#include <signal.h>
#include <stddef.h>

static volatile sig_atomic_t stop; /* it has come */

static void on_term(int signal)
{
    (void)signal;
    stop = 1;
}

/* Before any thread is made. */
static void take_term(void)
{
    struct sigaction action = {.sa_handler = on_term};
    sigset_t term;

    sigaction(SIGTERM, &action, NULL);
    sigemptyset(&term);
    sigaddset(&term, SIGTERM);
    sigprocmask(SIG_UNBLOCK, &term, NULL);
}

#endif
