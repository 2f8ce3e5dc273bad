/* What a submit of one job and that of many share. */
#pragma once

#include "after.h"
#include "jobs.h"
#include "once_key.h"
#include "retry.h"

/* What has to be read out of words. */
struct how {
    struct retry retry;
    struct gc_once once;
    struct after after;
};

/* Reads it, and tells on standard error what is wrong. 0 or -EINVAL. */
int how_parse(const struct options *options, struct how *how);

/* All but plugin, function and argument. Points into both. */
struct gc_submit submit_of(const struct options *options, const struct how *how);

/* The function of PLUGIN.so:FUNCTION. NULL: it is not that, which was told. */
const char *function_of(const char *text);

/* When a submit gives up; *ctx, to be freed also on failure: the context of --ctx, to which its jobs are bound, or NULL. */
int submit_begin(struct session *session, gc_until *until, gc_ctx **ctx);

/* The number of a job. An exit status. */
int print_job(const struct options *options, gc_job job);

/* Tells why; an exit status. */
int submit_failed(int error, const char *what);

/* The command with --bulk. */
int submit_bulk(const struct options *options);
