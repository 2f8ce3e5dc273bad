/* A victim that is a process of its own: comes to its state, says so, and waits to be killed or told to go on. */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "probe.h"
#include "victims.h"

static int exit_of(int error)
{
    if (error != -ENETRESET)
        errx(EXIT_BROKEN, "victim: %s", gc_why());
    return gc_in_doubt() ? EXIT_RESET_DOUBT : EXIT_RESET;
}

/* Says that it is there, and waits to be told to go on. */
static void pause_here(void)
{
    char byte = 'r';

    if (write(STDOUT_FILENO, &byte, 1) != 1 || read(STDIN_FILENO, &byte, 1) != 1)
        exit(EXIT_BROKEN);
}

/* Inside a function that it runs for others. One that waits before that is let through. */
static void stay(struct victim *victim)
{
    if (victim->state == STATE_ACKED && victim->act->settle(victim) < 0)
        exit(EXIT_BROKEN);
    if (victim->state != STATE_PARKED)
        pause_here();
}

/* It had something, and the daemon is another: what was granted is void, and giving it back says so. */
static int exit_after(const struct act *act, struct victim *victim)
{
    int r = act->finish(victim);

    if (r != act->after_restart)
        errx(EXIT_BROKEN, "victim: after the restart %d instead of %d", r, act->after_restart);
    return EXIT_RESET_LATER;
}

int victim_process(char **argument)
{
    const struct act *act = act_find(argument[0]);
    enum state state = (enum state)atoi(argument[1]);
    int fd = open(argument[3], O_RDWR | O_CLOEXEC), r;
    struct victim victim = {
        .job = gc_job_of(strtoull(argument[4], NULL, 10)), .stay = stay, .act = act, .state = state};

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    victim.g = probe_client(argument[2], GC_NO_THREAD); /* no ACK leaves by itself */
    victim.witness = witness_map(fd);
    if (!act || victim_open(&victim) < 0)
        return EXIT_BROKEN;
    r = act->begin(&victim);
    if (act->stays && state != STATE_PARKED && (r == act->after_restart || r == -ENETRESET))
        return EXIT_RESET_LATER; /* of the old daemon, or of the new one, whichever it met first */
    if (r < 0)
        return exit_of(r);
    if (state == STATE_ACKED && act->settle(&victim) < 0)
        return EXIT_BROKEN;
    if (state != STATE_PARKED && !act->stays)
        pause_here();
    r = gc_ping(victim.g, GC_FOREVER);
    if (r == -ENETRESET && act->after_restart)
        return exit_after(act, &victim);
    r = state == STATE_ACKED || r < 0 ? r : act->settle(&victim);
    if (r == 0)
        r = act->finish(&victim);
    gc_disconnect(victim.g);
    return r < 0 ? EXIT_RESET_LATER : EXIT_LIVED;
}
