/*
 * G14 between processes: five jobs of fifty goroutines together print at once; each of five clients reads what its own
 * job has printed.
 *
 * Pattern: kept output. What is printed in one call stays together, whoever else prints.
 */
#include "goroutine.h"
#include "parts.h"

enum {
    JOBS = 5,
    PRINTERS = 10,
    LINES_EACH = 100,
    LINE_BYTES = 200,
    JOB_LINES = PRINTERS * LINES_EACH,
    JOB_BYTES = JOB_LINES * (LINE_BYTES + 1)
};

struct printer {
    struct part *job;
    int id;
};

/* "12 034 xxx…": 200 bytes. */
static void line_of(int printer, int number, char *line)
{
    int n = snprintf(line, TEXT_BYTES, "%02d %03d ", printer, number);

    memset(line + n, 'x', LINE_BYTES - (size_t)n);
    line[LINE_BYTES] = '\0';
}

static void print_lines(void *arg)
{
    const struct printer *me = arg;
    char line[TEXT_BYTES];

    for (int i = 0; i < LINES_EACH; i++) {
        line_of(me->id, i, line);
        print_line(me->job, "%s", line);
    }
}

static void printing_job(struct part *me)
{
    go_waitgroup all = {0};

    for (int id = 0; id < PRINTERS; id++)
        must(go_waitgroup_go(&all, print_lines, &((struct printer){me, id}), sizeof(struct printer)) == 0);
    go_waitgroup_wait(&all);
}

/* All of it, piece by piece. To be freed. */
static char *output_of(struct part *me, gc_job job, size_t *bytes)
{
    char *text = malloc(JOB_BYTES + 1);
    int more = 1;

    must(text != NULL);
    for (*bytes = 0; more;) {
        struct gc_value piece = {0};

        more = gc_job_output(me->g, job, *bytes, 0, &piece, GC_FOREVER);
        must(more >= 0 && *bytes + piece.size <= JOB_BYTES);
        if (piece.size > 0)
            memcpy(text + *bytes, piece.data, piece.size);
        *bytes += piece.size;
        gc_value_clear(&piece);
    }
    text[*bytes] = '\0';
    return text;
}

/* "each is whole, none is torn", "each goroutine's lines are in order" */
static void check_lines(const char *text)
{
    int printed[PRINTERS] = {0};
    char wanted[TEXT_BYTES];

    for (int i = 0; i < JOB_LINES; i++, text += LINE_BYTES + 1) {
        int id = atoi(text);

        must(id >= 0 && id < PRINTERS);
        line_of(id, printed[id]++, wanted);
        must(memcmp(text, wanted, LINE_BYTES) == 0 && text[LINE_BYTES] == '\n');
    }
}

static void submitter(struct part *me)
{
    gc_job job = submit_part(me, "printing_job", me->index);
    size_t bytes;
    char *text;

    must(gc_wait(me->g, job, NULL, GC_FOREVER) == 1);
    text = output_of(me, job, &bytes);
    must(bytes == JOB_BYTES);
    check_lines(text);
    free(text);
    say(me, "%d lines", JOB_LINES);
}

static void printing(void)
{
    /* "5000 lines of 200 bytes" */
    must(said_times("1000 lines") == JOBS && part_lines.n == JOBS);
}

GUIDE_PARTS(G14, printing, .parts = {PARTS(JOBS, submitter), PART_WITH(printing_job, .on_call = true)});
