/* The acts as jobs of a host. The argument is "ACT STATE FILE", FILE the witness's memory. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "goplugin.h"
#include "victims.h"

static int prepare(gp_job *job, const char *file, struct victim *victim)
{
    int fd = open(file, O_RDWR | O_CLOEXEC);

    if (fd < 0)
        return -errno;
    victim->g = gp_client(job);
    victim->witness = witness_map(fd);
    close(fd);
    return victim_open(victim);
}

/* What a job comes to, and where it is killed. */
static void come_to(struct victim *victim, const struct act *act, enum state state)
{
    if (state != STATE_COMMITTED && act->settle(victim) < 0)
        return;
    victim->witness->ready = 1;
    if (state != STATE_PARKED)
        go_ctx_wait(gp_context(victim->run), GO_FOREVER);
}

static void stay(struct victim *victim)
{
    come_to(victim, victim->act, victim->state);
}

/* In its first run only: the run after the death of the host has nothing to do. */
static int act(gp_job *job)
{
    struct gp_bytes argument = gp_argument(job);
    struct victim victim = {.stay = stay, .run = job};
    char text[256], name[32], file[128];
    int state;

    snprintf(text, sizeof(text), "%.*s", (int)argument.size, (const char *)argument.data);
    if (sscanf(text, "%31s %d %127s", name, &state, file) != 3 || !act_find(name))
        return -EINVAL;
    const struct act *mine = act_find(name);
    int r = prepare(job, file, &victim);
    if (r == 0 && victim.witness->runs++ > 0)
        return 0;
    victim.act = mine;
    victim.state = (enum state)state;
    if (r == 0)
        r = mine->begin(&victim);
    if (r == 0 && !mine->stays)
        come_to(&victim, mine, victim.state);
    return r == 0 ? mine->finish(&victim) : r;
}

static int idle(gp_job *job)
{
    return 0;
}

GP_PLUGIN("victim", "1.0", {"act", "does what it may die of", act}, {"idle", "does nothing", idle});
