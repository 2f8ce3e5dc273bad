/* What reports share. */
#pragma once

#include <stddef.h>

#include "g.h"

/* Fills `info` with what g does now. id 0: it does not exist any more. */
void info_fill(struct go_info *info, const struct g *g);

/* Writes all of it. 0, or a negative errno value of write. */
int fd_write(int fd, const char *bytes, size_t n);

/* The same of one formatted piece; it is cut at 1 KiB. */
int fd_print(int fd, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* A callback of go_each, called by g, does what it must not: the group it looks at may be locked. */
void each_refuse(const struct g *g, const char *what) __attribute__((noreturn));

/* Who there is at one moment, oldest first. A goroutine that ends before it is looked at is told by its id,
 * which has changed then. */
struct census {
    struct member {
        uint64_t id;
        struct g *g;
    } * members;
    size_t n, room;
};

/* All goroutines, or the members of `group`. 0 or -ENOMEM; free `members` either way. */
int census_take(struct census *census, const go_group *group);
