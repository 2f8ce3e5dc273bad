/* The tables of the store, and how older files become today's. */
#pragma once

#include "sqlite.h"

enum { SCHEMA_APPLICATION = 0x676f726f }; /* "goro": marks the file as ours */

/* The newest version this program knows. */
int schema_version(void);
/* Brings the database to that version, one transaction a migration. *found: the version it had.
 * -ENOTSUP: newer than this program, or another program's file. Else as db_exec. */
int schema_upgrade(struct db *db, int64_t *found);
