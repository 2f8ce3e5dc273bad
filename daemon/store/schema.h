/* The tables of the store, and how older files become today's. */
#pragma once

#include "sqlite.h"

enum { SCHEMA_APPLICATION = 0x676f726f }; /* "goro": marks the file as ours */

/* The newest version this program knows. */
int schema_version(void);
/* What the step that leads to this version, from 1 on, brings, in words. */
const char *schema_step(int version);
/* *found: the version of the database; 0: it is new. -ENOTSUP: newer than this program, or another program's file. Else as
 * db_exec. */
int schema_find(struct db *db, int64_t *found);
/* Brings it from that version to the newest, one transaction a step. Interrupted, it has the version of some step. As db_exec. */
int schema_upgrade(struct db *db, int64_t found);
