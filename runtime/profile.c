/* Profiles of goroutines: how many stand at the same place. And the text form of every profile. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "backtrace.h"
#include "dump.h"
#include "stack_counts.h"
#include "symbol.h"

/* ---- folded stacks ---- */

enum { LINE_BYTES = 8192 }; /* of one stack; longer ones lose their innermost frames */

/* "main;worker;go_chan_recv 7": outermost first, as tools for flame graphs read it. */
static int folded_line(const struct stack_count *s, char *line, int fd)
{
    size_t n = 0;

    for (int i = s->n; i-- > 0;) {
        struct symbol symbol;
        size_t bytes;

        symbol_find((const char *)s->frame[i] - 1, &symbol);
        bytes = strlen(symbol.name[0] ? symbol.name : symbol.object);
        if (n + bytes + 1 > LINE_BYTES)
            break;
        if (n)
            line[n++] = ';';
        memcpy(line + n, symbol.name[0] ? symbol.name : symbol.object, bytes);
        n += bytes;
    }
    return fd_print(fd, "%.*s %llu\n", (int)n, line, (unsigned long long)s->count);
}

static int folded_write(const struct stack_counts *counts, int fd)
{
    char *line = malloc(LINE_BYTES);
    int r = line ? 0 : -ENOMEM;

    for (size_t i = 0; r == 0 && i < counts->slots; i++)
        if (counts->slot[i].count)
            r = folded_line(&counts->slot[i], line, fd);
    free(line);
    return r;
}

int profile_write(const struct stack_counts *counts, const struct profile_kind *kind,
                  enum go_profile_format format, int fd)
{
    switch (format) {
    case GO_PROFILE_PPROF:
        return pprof_write(counts, kind, fd);
    case GO_PROFILE_FOLDED:
        return folded_write(counts, fd);
    default:
        return -EINVAL;
    }
}

/* ---- goroutines ---- */

/* Its frames without those of the runtime; of the caller, its own; of one that runs elsewhere or has yet to begin, the
 * function it was started with. */
static int stack_of(const struct go_info *info, void *const **frames, void **room)
{
    int n = info->frames;

    *frames = info->frame;
    if (info->id == go_id()) {
        n = backtrace_take(room, GO_FRAMES_MAX);
        *frames = room;
    }
    n = backtrace_trim(frames, n);
    if (n)
        return n;
    room[0] = (char *)info->function + 1;
    *frames = room;
    return 1;
}

static int count_goroutines(const struct census *census, struct stack_counts *counts)
{
    for (size_t i = 0; i < census->n; i++) {
        void *room[GO_FRAMES_MAX], *const *frames;
        struct go_info info;
        int n;

        info_fill(&info, census->members[i].g);
        if (info.id != census->members[i].id)
            continue;
        n = stack_of(&info, &frames, room);
        if (!stack_counts_add(counts, frames, n, 1, 1))
            return -ENOMEM;
    }
    return 0;
}

int go_goroutine_profile(const go_group *group, int fd, enum go_profile_format format)
{
    static const struct profile_kind kind = {.type = "goroutine",
                                             .unit = "count",
                                             .period_type = "goroutine",
                                             .period_unit = "count",
                                             .period = 1};
    struct stack_counts counts = {.slot = NULL};
    struct census census;
    int r = census_take(&census, group);

    if (r == 0)
        r = stack_counts_init(&counts, census.n ? census.n : 1);
    if (r == 0)
        r = count_goroutines(&census, &counts);
    if (r == 0)
        r = profile_write(&counts, &kind, format, fd);
    stack_counts_free(&counts);
    free(census.members);
    return r;
}
