/*
 * What may be set of a pool: one row, one home, as a text of NAME=VALUE with a blank between two.
 *
 * POOL_NUMBERS and POOL_LISTS are keys of the section `pool NAME` in the configuration, settings of `goctl pool set`, and
 * lines of the manual. A list has a comma between two words. In a word `*` stands for any bytes. A word of `queues` is the
 * name of a queue. One of `functions` is PATH:FUNCTION, or PATH for all functions of that plugin.
 * Pure: no word of a pool is copied here; a part lives as long as the text it was read from.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bytes.h"
#include "queue_policy.h"

/* NUMBER(name, unit, default, least, most, help) */
#define POOL_NUMBERS(NUMBER)                                                                                 \
    NUMBER(hosts, "processes", 1, 1, 1000, "hosts of each plugin that its jobs need")                        \
    NUMBER(min, "processes", 0, 0, 1000, "of them there always are so many, of plugins it names in full")    \
    NUMBER(goroutines, "jobs", 16, 1, 100000, "jobs that run at once in one host")

/* LIST(name, help) */
#define POOL_LISTS(LIST)                                                                                     \
    LIST(queues, "whose jobs it runs; without: of all queues")                                               \
    LIST(functions, "that it runs, as PATH:FUNCTION or PATH; without: all functions")

enum pool_field {
#define POOL_NUMBER_FIELD(name, unit, value, least, most, help) POOL_##name,
    POOL_NUMBERS(POOL_NUMBER_FIELD)
#undef POOL_NUMBER_FIELD
        POOL_NUMBER_FIELDS,
    POOL_BEFORE_LISTS = POOL_NUMBER_FIELDS - 1,
#define POOL_LIST_FIELD(name, help) POOL_##name,
    POOL_LISTS(POOL_LIST_FIELD)
#undef POOL_LIST_FIELD
        POOL_FIELDS
};

enum { POOL_LIST_FIELDS = POOL_FIELDS - POOL_NUMBER_FIELDS, POOL_TEXT_MAX = 4096, POOL_WORD_MAX = 1024 };

struct pool_row {
    const char *name, *unit, *help; /* unit NULL: a list */
    uint64_t value, least, most;
};

extern const struct pool_row pool_rows[POOL_FIELDS];

/* Some of the settings, from one origin. */
struct pool_part {
    uint64_t number[POOL_NUMBER_FIELDS];
    struct bytes list[POOL_LIST_FIELDS];
    uint32_t set; /* bit per enum pool_field */
    bool drained;
};

static inline struct bytes pool_part_list(const struct pool_part *part, enum pool_field field)
{
    return part->list[field - POOL_NUMBER_FIELDS];
}

/* The row of that name, or -ENOENT. */
int pool_field(struct bytes name);
/* Puts each NAME=VALUE of a text into the part, which borrows its lists; NAME= takes one back. 0; -EINVAL: *wrong is the
 * first that makes no sense. */
int pool_part_read(struct pool_part *part, struct bytes text, struct bytes *wrong);
/* Why a setting was refused, in words. Returns the bytes written. */
size_t pool_part_why(struct bytes wrong, char *to, size_t size);
/* The text that gives the same part. Empty: nothing is set, or it has no room. */
struct bytes pool_part_write(const struct pool_part *part, char *to, size_t size);
/* The sum of parts of which later ones win. */
void pool_part_sum(const struct pool_part parts[ORIGINS], struct pool_part *sum, uint8_t origin[POOL_FIELDS]);

/* Takes the next word off a list. False: there is none. */
bool pool_word(struct bytes *list, struct bytes *word);
/* Whether a list has a word for this queue; an empty one has. */
bool pool_has_queue(struct bytes queues, struct bytes queue);
/* The same for a function of a plugin. */
bool pool_has_function(struct bytes functions, struct bytes plugin, struct bytes function);
/* The same for some function of a plugin. */
bool pool_has_plugin(struct bytes functions, struct bytes plugin);
/* The plugin that a word of `functions` names in full. Empty: it has a star. */
struct bytes pool_plugin(struct bytes word);
