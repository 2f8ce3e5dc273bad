/* Many measured times, each a number of any unit. */
#pragma once

#include <stddef.h>
#include <stdint.h>

void samples_sort(uint32_t *samples, size_t n);
/* Of sorted ones: that many per cent are not greater. 0 of none. */
uint32_t samples_at(const uint32_t *samples, size_t n, unsigned percent);
