/* The participants of the rows as jobs: one function for all, whose argument says which. */
#include "goplugin.h"
#include "goroutine_host.h"
#include "parts_run.h"

void part_failed(const char *text)
{
    go_panic("%s", text);
}

void part_result(struct part *me, const char *text)
{
    must(gp_result(me->in_host, text, strlen(text)) == 0);
}

void part_print(struct part *me, const char *line)
{
    must(gp_print(me->in_host, "%s\n", line) == 0);
}

void part_sleep(int ms)
{
    go_sleep(go_after_ms(ms));
}

const void *part_here(void)
{
    return go_group_current(); /* each job has one */
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
    part_run_function((struct part){.name = name,
                                    .index = index,
                                    .g = gp_client(job),
                                    .is_job = true,
                                    .job = gp_id(job),
                                    .in_host = job,
                                    .run = text + used});
    return 0;
}

GP_PLUGIN("guide_between", "1.0", {"part", "a participant of a row", part});
