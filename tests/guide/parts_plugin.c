/* The participants of the rows as jobs: one function for all, whose argument says which. */
#include "goplugin.h"
#include "parts_run.h"

void part_failed(const char *text)
{
    go_panic("%s", text);
}

/* Argument: NAME INDEX and the text of the run. */
static int part(gp_job *job)
{
    struct gp_bytes argument = gp_argument(job);
    char text[PART_RUN_BYTES + TEXT_BYTES], name[TEXT_BYTES];
    int index, used = 0;

    must(argument.size < sizeof text);
    memcpy(text, argument.data, argument.size);
    text[argument.size] = '\0';
    if (sscanf(text, "%255s %d %n", name, &index, &used) != 2)
        return gp_fail(job, -EINVAL, "not NAME INDEX and a run: %s", text);
    part_run_function(text + used, name, index, gp_client(job), true);
    return 0;
}

GP_PLUGIN("guide_between", "1.0", {"part", "a participant of a row", part});
