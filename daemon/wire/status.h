/* Outcomes over the wire are an enum of our own: errno numbers differ between machines. One table, both ways. */
#pragma once

#include <stdint.h>

/* Negative errno value to Status, whose number it returns; one that has no row becomes OTHER. 0 and positive: OK. */
int status_of_error(int32_t error);
/* Status to negative errno value; 0 for OK; a number that has no row, of a newer peer: that of OTHER. */
int32_t status_to_error(int status);
