/*
 * The rows as jobs: the functions that manifest.py lists, one for each row and part, and `rows`, which prints for jobs.py
 * how each must end.
 */
#include "plugin.h"

#include "guide_run.h"

static void print_line(struct guide_run *run, const char *line)
{
    gp_print(run->job, "%s\n", line);
}

int guide_job(gp_job *job, const char *id, const char *name)
{
    const struct guide_row *const *at;

    for (at = __start_guide_rows; at < __stop_guide_rows; at++)
        if (strcmp((*at)->id, id) == 0 && strcmp((*at)->name, name) == 0) {
            guide_run(*at, print_line, job, gp_id(job));
            return 0;
        }
    return gp_fail(job, -ENOENT, "no row %s %s", id, name);
}

static void append(char *line, size_t size, const char *kind, const char *const *words)
{
    for (; *words; words++) {
        size_t used = strlen(line);

        snprintf(line + used, size - used, "\t%s=%s", kind, *words);
    }
}

int guide_list(gp_job *job)
{
    static const char *const ends[] = {"well", "deadlock", "panic", "crash", "race"};
    const struct guide_row *const *at;

    for (at = __start_guide_rows; at < __stop_guide_rows; at++) {
        const struct guide_row *row = *at;
        char line[1024];

        snprintf(line, sizeof line, "%s%s%s\t%s", row->id, row->is_part ? "." : "",
                 row->is_part ? row->name : "", ends[row->ends]);
        append(line, sizeof line, "says", row->says);
        append(line, sizeof line, "prints", row->prints);
        append(line, sizeof line, "prints", row->job_prints);
        append(line, sizeof line, "never", row->never);
        if (row->no_job)
            append(line, sizeof line, "skip", (const char *const[]){row->no_job, NULL});
        if (row->debug_only && GUIDE_RELEASE)
            append(line, sizeof line, "skip", (const char *const[]){"a release build", NULL});
        gp_print(job, "%s\n", line);
    }
    return 0;
}
