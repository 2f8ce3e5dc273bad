/*
 * Who somebody is: a user of this machine (`uid:1000`), or a key of tcp (`key:NAME`). Both have a number, the account
 * that is charged: that of a user is the uid, that of a key is made from its name, above all users. So it is the same
 * after a restart, and whatever belongs to a user can never belong to a key.
 */
#pragma once

#include "core.h"

/* 1 to KEY_NAME_BYTES_MAX bytes of [A-Za-z0-9_.-]. */
bool key_name_good(const char *name);
/* ACCOUNT_KEYS and above, never ACCOUNT_UNKNOWN. Part of what is stored with jobs: never changes. */
uint32_t key_account(const char *name);
