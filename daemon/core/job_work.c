/*
 * What a job has only while something is going on with it, apart in memory, so that a million that wait stay small: what the
 * store has not reported on, and what came of its runs.
 *
 * Whoever changes a job makes its work first, while that may still fail: job_record does. When the store has the change, the
 * work of a job that has not ended, has not run and has no words and no output goes.
 */
#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "jobs_internal.h"

enum { QUARANTINE_WORDS_BYTES = 96 };

const struct job_work *job_work(const struct job *job)
{
    static const struct job_work none;

    return job->work ? job->work : &none;
}

struct job_work *job_work_get(struct core *core, struct job *job)
{
    if (job->work)
        return job->work;
    job->work = core_take(core, sizeof(*job->work));
    if (!job->work)
        return NULL;
    job->work->job = job;
    list_init(&job->work->unborn);
    list_init(&job->work->unstored);
    return job->work;
}

void job_work_free(struct core *core, struct job *job)
{
    struct job_work *work = job->work;

    if (!work)
        return;
    list_remove(&work->unborn);
    list_remove(&work->unstored);
    core_free(core, work->text);
    core_give(core, work, sizeof(*work));
    job->work = NULL;
}

void job_work_settle(struct core *core, struct job *job)
{
    const struct job_work *work = job->work;

    if (!work || list_linked(&work->unborn) || list_linked(&work->unstored) || job_ended(job))
        return;
    if (!work->run_last && !work->output_bytes && !work->text)
        job_work_free(core, job);
}

void job_say_bytes(struct core *core, struct job *job, struct bytes text)
{
    size_t size = text.size < core->limits.text_bytes_max ? text.size : core->limits.text_bytes_max;
    char *copy = size && job_work_get(core, job) ? core_alloc(core, size) : NULL;

    if (copy)
        memcpy(copy, text.data, size);
    if (job->work) {
        core_free(core, job->work->text);
        job->work->text = copy;
        job->work->text_size = copy ? (uint32_t)size : 0;
    }
}

void job_say(struct core *core, struct job *job, const char *format, ...)
{
    char text[512];
    va_list arguments;

    va_start(arguments, format);
    size_t size = text_writev(text, sizeof(text), format, arguments);
    va_end(arguments);
    job_say_bytes(core, job, (struct bytes){text, size});
}

int job_say_quarantined(struct core *core, struct job *job, uint32_t crashes)
{
    static const char begin[] = "quarantined: ";
    const struct job_work *work = job_work(job);
    size_t size = work->text_size + QUARANTINE_WORDS_BYTES;

    if (work->text_size >= sizeof(begin) - 1 && memcmp(work->text, begin, sizeof(begin) - 1) == 0)
        return 0;
    char *words = core_alloc(core, size);
    if (!words)
        return -ENOMEM;
    size = text_write(words, size, "%s%u of its runs have ended their host; the last one: %.*s", begin,
                      crashes, (int)work->text_size, work->text ? work->text : "");
    job_say_bytes(core, job, (struct bytes){words, size});
    core_free(core, words);
    return 0;
}
