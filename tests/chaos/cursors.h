/* What the files of cursors_recorded share. */
#pragma once

#include "cursor.h"

/*
 * Puts one call into a history that can be explained, behind a call of it, that must not have been there: a message given
 * again, to two members, out of order, and so on. Fails the program where nobody notices; counts what was found, by kind.
 */
void cursor_spoil(const struct cursor *cursor);
/* Tells how many of each kind were found. How many kinds were not. */
int cursor_spoilt(void);
