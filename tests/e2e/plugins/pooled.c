/* A job that runs until it is told to end, and says in which process it ran. */
#include <stdio.h>
#include <unistd.h>

#include "goclient_chan.h"
#include "goplugin.h"

/* Prints its process, takes a value from the channel `gate`, and gives the process back as its result. */
static int pass(gp_job *job)
{
    struct gc_value value = {0};
    char pid[16];
    gc_chan gate;
    int size = snprintf(pid, sizeof(pid), "%d", getpid());
    int r = gp_print(job, "pid %s\n", pid);

    if (r >= 0)
        r = gc_open(gp_client(job), "gate", NULL, &gate, GC_FOREVER);
    if (r >= 0)
        r = gc_recv(gp_client(job), gate, &value, 0, GC_FOREVER);
    gc_value_clear(&value);
    return r > 0 ? gp_result(job, pid, (size_t)size) : r;
}

GP_PLUGIN("pooled", "1.0", {"pass", "ends when it gets a value from the channel gate", pass});
