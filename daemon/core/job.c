/* Jobs: the engine without any. Every verb about jobs is refused. */
#include <errno.h>

#include "core_internal.h"

int jobs_init(struct core *core)
{
    return 0;
}

void jobs_fini(struct core *core)
{
}

int jobs_load(struct core *core, const struct job_row *row, const char **why)
{
    *why = "this core knows no jobs";
    return -EINVAL;
}

void jobs_session_up(struct core *core, struct session *session)
{
}

void jobs_session_end(struct core *core, struct session *session)
{
}

void jobs_scope_end(struct core *core, struct scope *scope)
{
}

void jobs_stored(struct core *core, uint64_t first, uint64_t last, int error)
{
}

uint64_t jobs_store_failed(struct core *core, struct op *op, int error)
{
    return 0;
}

void jobs_plugin(struct core *core, const struct input *in)
{
}

void jobs_host_up(struct core *core, const struct input *in)
{
}

void jobs_host_end(struct core *core, const struct input *in)
{
}

void jobs_drain(struct core *core)
{
    effect_new(core, EFFECT_DRAINED, 0);
}

void jobs_turn(struct core *core)
{
}

int jobs_case_ready(struct core *core, uint64_t job, uint64_t *batch)
{
    return -ENOENT;
}

struct answer *jobs_case_answer(struct core *core, struct op *op, uint64_t job)
{
    return NULL;
}

struct list *jobs_case_waiters(struct core *core, uint64_t job)
{
    return NULL;
}

void jobs_check(const struct core *core)
{
}

void jobs_stats(const struct core *core, void (*say)(void *, const char *, uint64_t), void *context)
{
}

#define REFUSED(name)                                                                                        \
    int handle_##name(struct core *core, struct op *op, const struct request *request)                       \
    {                                                                                                        \
        return -ENOSYS;                                                                                      \
    }
REFUSED(submit)
REFUSED(job_wait)
REFUSED(job_info)
REFUSED(job_list)
REFUSED(job_cancel)
REFUSED(job_output)
REFUSED(reserve)
REFUSED(started)
REFUSED(done)
REFUSED(print)
REFUSED(progress)
