/* What a parked goroutine waits for: read from memory of the program, which may be gone a moment later. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "g.h"

/* Copies `n` bytes at `from`, which may be unmapped; false then. */
bool peek(void *to, const void *from, size_t n);

/* Fills the object fields of a parked goroutine's info. */
void objects_read(struct go_info *info, const struct g *g);

/* "waits for mutex 0x7f00 (table_lock), last locked by goroutine 7", "" when nothing is known; as snprintf. */
int object_format(const struct go_info *info, char *out, size_t size);
