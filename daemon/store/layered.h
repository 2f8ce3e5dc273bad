/* The store of a daemon with a disk. See layered.c. */
#pragma once

#include "store.h"

extern const struct store_ops store_layered;
