/* The file of rights: rows `WHO VERBS PREFIX`, as `key:mailer send,recv mail.` (rights.h says what they mean). */
#pragma once

#include "rights.h"

/* Reads the file. 0, or errors of table_file_read with *why (heap). */
int rights_read(const char *path, struct rights **rights, char **why);
/* Accepts NULL, returns NULL. */
struct rights *rights_delete(struct rights *rights);
/* One row, for rights_read and its tests: the words WHO, VERBS, PREFIX. 0, -EINVAL with *why, -ENOMEM. */
int rights_add(void *rights, const char *const *words, char **why);
