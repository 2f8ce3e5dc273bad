#include "lines.h"

#include <stdlib.h>
#include <string.h>

void lines_add(struct lines *lines, const char *text)
{
    char *line = strdup(text);

    if (lines->n == lines->room) {
        lines->room = 2 * lines->room + 16;
        lines->line = realloc(lines->line, lines->room * sizeof *lines->line);
    }
    if (!line || !lines->line)
        abort();
    lines->line[lines->n++] = line;
}

void lines_drop(struct lines *lines)
{
    for (size_t i = 0; i < lines->n; i++)
        free(lines->line[i]);
    free(lines->line);
    *lines = (struct lines){0};
}

static bool begins(const char *line, const char *prefix)
{
    return strncmp(line, prefix, strlen(prefix)) == 0;
}

bool lines_are(const struct lines *lines, const char *prefix, const char *const *wanted)
{
    for (size_t i = 0; i < lines->n; i++) {
        if (!begins(lines->line[i], prefix))
            continue;
        if (!*wanted || strcmp(lines->line[i], *wanted) != 0)
            return false;
        wanted++;
    }
    return !*wanted;
}

static size_t count_of(const char *const *have, size_t n, const char *line)
{
    size_t times = 0;

    for (size_t i = 0; i < n; i++)
        times += strcmp(have[i], line) == 0;
    return times;
}

size_t lines_count(const struct lines *lines, const char *line)
{
    return count_of((const char *const *)lines->line, lines->n, line);
}

bool lines_are_set(const struct lines *lines, const char *const *wanted)
{
    size_t wanted_n = 0;

    while (wanted[wanted_n])
        wanted_n++;
    for (size_t i = 0; i < wanted_n; i++)
        if (lines_count(lines, wanted[i]) != count_of(wanted, wanted_n, wanted[i]))
            return false;
    return lines->n == wanted_n;
}

bool lines_begin(const struct lines *lines, const char *line)
{
    return lines->n > 0 && strcmp(lines->line[0], line) == 0;
}

bool lines_end(const struct lines *lines, const char *line)
{
    return lines->n > 0 && strcmp(lines->line[lines->n - 1], line) == 0;
}

bool lines_ordered(const struct lines *lines, const char *first, const char *second)
{
    size_t firsts = 0, seconds = 0;
    bool ordered = true;

    for (size_t i = 0; i < lines->n; i++) {
        ordered = ordered && !(begins(lines->line[i], first) && seconds > 0);
        firsts += begins(lines->line[i], first);
        seconds += begins(lines->line[i], second);
    }
    return ordered && firsts > 0 && seconds > 0;
}

/* ---- integers ---- */

bool ints_are(const int *got, size_t n, const int *wanted, size_t wanted_n)
{
    return n == wanted_n && memcmp(got, wanted, n * sizeof *got) == 0;
}

static size_t ints_count(const int *of, size_t n, int value)
{
    size_t times = 0;

    for (size_t i = 0; i < n; i++)
        times += of[i] == value;
    return times;
}

bool ints_are_set(const int *got, size_t n, const int *wanted, size_t wanted_n)
{
    for (size_t i = 0; i < wanted_n; i++)
        if (ints_count(got, n, wanted[i]) != ints_count(wanted, wanted_n, wanted[i]))
            return false;
    return n == wanted_n;
}
