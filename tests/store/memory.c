/* Allocations that can be refused. */
#include "memory.h"

#include <sqlite3.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
char *__real_strdup(const char *text);
int __real_vasprintf(char **text, const char *format, va_list arguments);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
char *__wrap_strdup(const char *text);
int __wrap_asprintf(char **text, const char *format, ...);
int __wrap_vasprintf(char **text, const char *format, va_list arguments);

static sqlite3_mem_methods usual;
static struct store_ops counted;
static const struct store_ops *behind;
static struct {
    uint64_t first, last, passed;
    bool growing, inside; /* inside: a function of the store runs */
} memory;

void memory_fail(uint64_t first, uint64_t more, bool growing)
{
    memory.growing = growing;
    memory.first = first;
    memory.last = first + more;
    memory.passed = 0;
}

uint64_t memory_calls(void)
{
    return memory.passed;
}

static bool refused(bool grows)
{
    if (!memory.inside || (memory.growing && !grows))
        return false;
    uint64_t n = ++memory.passed;
    return memory.first != 0 && n >= memory.first && n <= memory.last;
}

static void *lite_malloc(int size)
{
    return refused(false) ? NULL : usual.xMalloc(size);
}

static void *lite_realloc(void *old, int size)
{
    return refused(true) ? NULL : usual.xRealloc(old, size);
}

void *__wrap_malloc(size_t size)
{
    return refused(false) ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t n, size_t size)
{
    return refused(false) ? NULL : __real_calloc(n, size);
}

char *__wrap_strdup(const char *text)
{
    return refused(false) ? NULL : __real_strdup(text);
}

int __wrap_vasprintf(char **text, const char *format, va_list arguments)
{
    return refused(false) ? -1 : __real_vasprintf(text, format, arguments);
}

int __wrap_asprintf(char **text, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    int r = __wrap_vasprintf(text, format, arguments);
    va_end(arguments);
    return r;
}

/* No memory is set aside for small things: each of them is an allocation that can be refused. */
void memory_install(void)
{
    sqlite3_mem_methods ours;

    if (sqlite3_config(SQLITE_CONFIG_GETMALLOC, &usual) != SQLITE_OK)
        abort();
    ours = usual;
    ours.xMalloc = lite_malloc;
    ours.xRealloc = lite_realloc;
    if (sqlite3_config(SQLITE_CONFIG_MALLOC, &ours) != SQLITE_OK ||
        sqlite3_config(SQLITE_CONFIG_LOOKASIDE, 0, 0) != SQLITE_OK)
        abort();
}

static int counted_open(const struct store_options *options, struct store **store, uint64_t *incarnation,
                        char **why)
{
    memory.inside = true;
    int r = behind->open(options, store, incarnation, why);
    memory.inside = false;
    return r;
}

static int counted_apply(struct store *store, const struct list *batches)
{
    memory.inside = true;
    int r = behind->apply(store, batches);
    memory.inside = false;
    return r;
}

static int counted_fetch(struct store *store, const struct fetch *what, struct fetched *out)
{
    memory.inside = true;
    int r = behind->fetch(store, what, out);
    memory.inside = false;
    return r;
}

static int counted_tidy(struct store *store, bool idle)
{
    memory.inside = true;
    int r = behind->tidy(store, idle);
    memory.inside = false;
    return r;
}

static int counted_ballast(struct store *store, bool keep)
{
    memory.inside = true;
    int r = behind->ballast(store, keep);
    memory.inside = false;
    return r;
}

const struct store_ops *memory_ops(const struct store_ops *ops)
{
    behind = ops;
    counted = *ops;
    counted.open = counted_open;
    counted.apply = counted_apply;
    counted.fetch = counted_fetch;
    counted.tidy = counted_tidy;
    counted.ballast = counted_ballast;
    return &counted;
}
