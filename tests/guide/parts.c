#include "parts_run.h"

#include <fcntl.h>
#include <stdarg.h>
#include <unistd.h>

#include "goclient_inspect.h"

enum { FAILURE_BYTES = 1024 };

struct lines part_lines;

/* ---- runs ---- */

void part_run_write(const struct part_run *run, char *text)
{
    snprintf(text, PART_RUN_BYTES, "%s %s %s %s %d %s %d", run->row, run->name, run->lines, run->plugin,
             (int)run->order, run->order ? run->turn : "-", run->turn_index);
}

bool part_run_read(struct part_run *run, const char *text)
{
    int order, n = sscanf(text, "%7s %63s %127s %511s %d %63s %d", run->row, run->name, run->lines,
                          run->plugin, &order, run->turn, &run->turn_index);

    run->order = (enum part_order)order;
    return n == 7;
}

const struct between_row *between_row_of(const struct part_run *run)
{
    const struct between_row *const *at;

    for (at = __start_between_rows; at < __stop_between_rows; at++)
        if (strcmp((*at)->id, run->row) == 0 && strcmp((*at)->name, run->name) == 0)
            return *at;
    return NULL;
}

static const struct part_function *function_of(const struct between_row *row, const char *name)
{
    for (int i = 0; row && i < PARTS_MAX && row->parts[i].name; i++)
        if (strcmp(row->parts[i].name, name) == 0)
            return &row->parts[i];
    return NULL;
}

void part_run_function(struct part me)
{
    struct part_run run = {0};
    const struct between_row *row;
    const struct part_function *function;

    must(part_run_read(&run, me.run));
    row = between_row_of(&run);
    function = function_of(row, me.name);
    must(function != NULL);
    me.lines = open(run.lines, O_WRONLY | O_APPEND | O_CLOEXEC);
    must(me.lines >= 0);
    part_order_begin(&me, &run, row, function);
    function->run(&me);
    close(me.lines);
}

/* ---- lines and checks ---- */

void say(struct part *me, const char *format, ...)
{
    char line[TEXT_BYTES + 2];
    va_list args;
    int n;

    va_start(args, format);
    n = vsnprintf(line, TEXT_BYTES, format, args);
    va_end(args);
    must(n >= 0 && n < TEXT_BYTES);
    line[n] = '\n';
    must(write(me->lines, line, (size_t)n + 1) == n + 1); /* appended whole, whoever else does */
}

bool said(const char *const *lines)
{
    return lines_are(&part_lines, "", lines);
}

bool said_in_any_order(const char *const *lines)
{
    return lines_are_set(&part_lines, lines);
}

bool said_by(const char *prefix, const char *const *lines)
{
    return lines_are(&part_lines, prefix, lines);
}

size_t said_times(const char *format, ...)
{
    char line[TEXT_BYTES];
    va_list args;

    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    return lines_count(&part_lines, line);
}

bool said_first(const char *line)
{
    return lines_begin(&part_lines, line);
}

bool said_last(const char *line)
{
    return lines_end(&part_lines, line);
}

bool said_before(const char *first, const char *second)
{
    return lines_ordered(&part_lines, first, second);
}

void part_must(bool holds, const char *what, const char *file, int line)
{
    char text[FAILURE_BYTES];

    if (holds)
        return part_pause();
    snprintf(text, sizeof text, "%s:%d: %s does not hold; the last call that failed said: %s", file, line,
             what, gc_why());
    part_failed(text);
}

/* ---- channels ---- */

gc_chan chan_of(struct part *me, const char *name)
{
    gc_chan c;

    must(gc_open(me->g, name, NULL, &c, GC_FOREVER) == 0);
    return c;
}

void send_text(struct part *me, gc_chan c, const char *format, ...)
{
    char text[TEXT_BYTES];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    must(gc_send(me->g, c, gc_string(text), GC_FOREVER) == 0);
}

void send_number(struct part *me, gc_chan c, int number)
{
    send_text(me, c, "%d", number);
}

static void text_of(const struct gc_value *v, char *text)
{
    must(v->size < TEXT_BYTES);
    memcpy(text, v->data, v->size);
    text[v->size] = '\0';
}

bool recv_text(struct part *me, gc_chan c, char *text)
{
    struct gc_value v = {0};
    int r = gc_recv(me->g, c, &v, 0, GC_FOREVER);

    must(r >= 0);
    if (r > 0)
        text_of(&v, text);
    gc_value_clear(&v);
    return r > 0;
}

const char *error_words(int error)
{
    must(error == -ETIMEDOUT || error == -ECANCELED);
    return error == -ETIMEDOUT ? "context deadline exceeded" : "context canceled";
}

int number_of(const struct gc_value *v)
{
    char text[TEXT_BYTES];

    text_of(v, text);
    return atoi(text);
}

bool recv_number(struct part *me, gc_chan c, int *number)
{
    char text[TEXT_BYTES];

    if (!recv_text(me, c, text))
        return false;
    *number = atoi(text);
    return true;
}

void close_chan(struct part *me, gc_chan c)
{
    must(gc_close(me->g, c, GC_FOREVER) == 0);
}

/* ---- waiting for a state ---- */

void until_waiting(struct part *me, gc_chan c, unsigned senders, unsigned receivers)
{
    struct gc_chan_info info;

    do {
        must(gc_chan_info(me->g, c, &info, GC_FOREVER) == 0);
        part_look();
    } while (info.senders != senders || info.receivers != receivers);
}

void until_length(struct part *me, gc_chan c, unsigned length)
{
    while (gc_len(me->g, c, GC_FOREVER) != length)
        part_look();
}

uint64_t stat_of(struct part *me, const char *name)
{
    struct gc_stats stats = {0};
    uint64_t value;

    must(gc_stats(me->g, name, &stats, GC_FOREVER) > 0);
    value = stats.items[0].value;
    gc_stats_clear(&stats);
    part_look();
    return value;
}

void step_done(struct part *me, const char *name)
{
    close_chan(me, chan_of(me, name));
}

/* Operations that wait in the daemon, but for those that wait for a job: when who has submitted one begins to wait for it
 * is no step of the row. */
static size_t waits_in_row(struct part *me)
{
    struct gc_parked_filter filter = {.size = sizeof filter};
    struct gc_parked_page page = {0};
    size_t n = 0;
    bool more;

    do {
        must(gc_parked(me->g, &filter, &page, GC_FOREVER) >= 0);
        for (size_t i = 0; i < page.n; i++)
            n += strcmp(page.items[i].kind, "job") != 0;
        memcpy(filter.next_, page.next_, sizeof filter.next_);
        more = page.more;
        gc_parked_page_clear(&page);
    } while (more);
    return n;
}

void step_done_until_parked(struct part *me, const char *name)
{
    size_t waits = waits_in_row(me);

    step_done(me, name);
    while (waits_in_row(me) != waits)
        part_look();
}

void step_wait(struct part *me, const char *name)
{
    char text[TEXT_BYTES];

    must(!recv_text(me, chan_of(me, name), text));
}

void shared_file(const struct part *me, const char *name, char *path)
{
    struct part_run run;

    must(part_run_read(&run, me->run));
    must(snprintf(path, TEXT_BYTES, "%s.%s", run.lines, name) < TEXT_BYTES);
}

/* ---- jobs ---- */

gc_job submit_part_with(struct part *me, const char *name, int index, struct gc_submit options)
{
    char argument[PART_RUN_BYTES + TEXT_BYTES];
    struct part_run run;
    gc_job job;

    must(part_run_read(&run, me->run));
    options.size = sizeof options;
    options.plugin = run.plugin;
    options.function = "part";
    options.argument = argument;
    options.argument_bytes = (size_t)snprintf(argument, sizeof argument, "%s %d %s", name, index, me->run);
    must(gc_submit(me->g, &options, &job, GC_FOREVER) == 0);
    return job;
}

gc_job submit_part(struct part *me, const char *name, int index)
{
    return submit_part_with(me, name, index, (struct gc_submit){.attempts_max = 1});
}

void leave_result(struct part *me, const char *format, ...)
{
    char text[TEXT_BYTES];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    part_result(me, text);
}

void print_line(struct part *me, const char *format, ...)
{
    char line[TEXT_BYTES];
    va_list args;

    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    part_print(me, line);
}

enum gc_job_state job_state(struct part *me, gc_job job)
{
    struct gc_job_info info = {0};
    enum gc_job_state state;

    must(gc_job_info(me->g, job, &info, GC_FOREVER) == 0);
    state = info.state;
    gc_job_info_clear(&info);
    return state;
}

void advance_ms(struct part *me, int64_t ms)
{
    must(gc_clock_advance(me->g, ms * INT64_C(1000000), GC_FOREVER) == 0);
}
