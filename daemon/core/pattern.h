/*
 * Names of topics, and patterns of them.
 *
 * A topic is a name whose tokens are separated by '.'; no token is empty. In a pattern a token may be '*', any one token,
 * and the last one '>', one token or more. A pattern with neither is exact: it matches the topic of that name.
 * Pure: bytes in, yes or no out.
 */
#pragma once

#include <stdbool.h>

#include "bytes.h"

/* 0; -EINVAL, -E2BIG (over NAME_BYTES_MAX), with *why the words behind "the topic '…' ": static. */
int topic_check(struct bytes topic, const char **why);
/* The same of a pattern. */
int pattern_check(struct bytes pattern, const char **why);

/* Takes the first token off `rest`. False: there is none. */
bool token_next(struct bytes *rest, struct bytes *token);
/* '*', '>'. */
bool token_is_any(struct bytes token);
bool token_is_rest(struct bytes token);

/* Of checked patterns and topics. */
bool pattern_is_exact(struct bytes pattern);
bool pattern_match(struct bytes pattern, struct bytes topic);
/* What every topic begins with that it matches: all before its first wildcard, with the '.'. */
struct bytes pattern_prefix(struct bytes pattern);
