/*
 * Between parts.c, which the participants call, and the two programs that run them: parts_main.c (clients, and the
 * program that starts them) and parts_plugin.c (jobs).
 */
#pragma once

#include "parts.h"

/* All rows linked into this program or plugin. */
extern const struct between_row *const __start_between_rows[] __attribute__((visibility("hidden")));
extern const struct between_row *const __stop_between_rows[] __attribute__((visibility("hidden")));

/* What the participants of one run have in common, as text that fits an argument: "G20 /tmp/…/lines /…/plugin.so". */
struct part_run {
    char row[8], lines[128], plugin[512];
};

enum { PART_RUN_BYTES = 1024 };
void part_run_write(const struct part_run *run, char *text);
/* False: that is no such text. */
bool part_run_read(struct part_run *run, const char *text);

const struct between_row *between_row_of(const char *id);

/* Runs function `name` of the row as the index-th. */
void part_run_function(const char *run_text, const char *name, int index, gc_client *g, bool is_job);

/* Of the program or plugin: a check did not hold. Does not return. */
void part_failed(const char *text) __attribute__((noreturn));
