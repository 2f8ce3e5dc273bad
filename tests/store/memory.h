/*
 * Memory that runs out at the n-th allocation: SQLite's, through its own table of functions, and those that the store makes
 * of the C library, in place of which the linker puts the ones here (tests/store/meson.build). What a test allocates for
 * itself is not counted: only what happens inside a function of the store is.
 * One thread.
 */
#pragma once

#include "store.h"

/* Before SQLite is used. */
void memory_install(void);
/* The same store, whose allocations count. One at a time. */
const struct store_ops *memory_ops(const struct store_ops *ops);
/* The first-th from now and `more` after it fail; first 0: none. `growing`: only what SQLite makes larger counts. */
void memory_fail(uint64_t first, uint64_t more, bool growing);
/* How many counted since memory_fail. */
uint64_t memory_calls(void);
