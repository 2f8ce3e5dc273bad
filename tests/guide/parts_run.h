/*
 * Between parts.c and parts_order.c, which the participants call, and the two programs that run them: parts_main.c (clients, and the
 * program that starts them) and parts_plugin.c (jobs).
 */
#pragma once

#include "parts.h"

/* All rows linked into this program or plugin. */
extern const struct between_row *const __start_between_rows[] __attribute__((visibility("hidden")));
extern const struct between_row *const __stop_between_rows[] __attribute__((visibility("hidden")));

/* As the machine has it, or against one participant: see parts_order.c. */
enum part_order { ORDER_ANY, ORDER_LATE, ORDER_SLOW };

/* What the participants of one run have in common, as text that fits an argument: "G20 unbuffered /tmp/…/lines
 * /…/plugin.so 1 receiver 0". */
struct part_run {
    char row[8], name[64], lines[128], plugin[512];
    enum part_order order;
    char turn[64];  /* whose turn it is to be late or slow, … */
    int turn_index; /* … which of them; of a function .on_call whoever begins first */
};

enum { PART_RUN_BYTES = 1024 };
void part_run_write(const struct part_run *run, char *text);
/* False: that is no such text. */
bool part_run_read(struct part_run *run, const char *text);

const struct between_row *between_row_of(const struct part_run *run);

/* Runs the function `me.name` of the row that me.run names as the me.index-th. */
void part_run_function(struct part me);

/* Of the program or plugin: a check did not hold. Does not return. */
void part_failed(const char *text) __attribute__((noreturn));
/* Of the plugin; in the program they fail. */
void part_result(struct part *me, const char *text);
void part_print(struct part *me, const char *line);
/* Of both: sleeps, and lets other goroutines run. */
void part_sleep(int ms);
/* Of both: the same for all goroutines of one participant, another for each other in this process; never NULL. */
const void *part_here(void);

/* Of parts_order.c. A participant is about to begin: waits, if it must be late. */
void part_order_begin(struct part *me, const struct part_run *run, const struct between_row *row,
                      const struct part_function *function);
/* A call has ended: if the caller must be slow, it is. */
void part_pause(void);
/* Somebody has looked, and may look again. */
void part_look(void);
