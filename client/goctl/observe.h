/* What the commands that look into running jobs share. */
#pragma once

#include "goclient_inspect.h"
#include "session.h"

/* Asks the host of question.job; exit status, with the reason of a failure told. The answer is to be cleared in either case. */
int ask_job(struct session *session, struct gc_question question, struct gc_told *told);

/* The bytes of an answer to standard output, or as the member `key` of a JSON object. 0, or how that failed. */
int say_told(const struct options *options, gc_job job, const struct gc_told *told, const char *key);

/* Names and numbers, of the daemon or of a job. 0, or how the output failed. */
int print_stats(const struct options *options, const struct gc_stats *stats);

/* The figures of a job, as print_stats. Exit status. */
int show_figures(struct session *session, gc_job job);
