/* What the host tells of itself or of a job of its when the daemon asks. */
#pragma once

#include "goclient_host.h"
#include "goroutine_host.h"

struct question {
    gc_client *client;
    uint64_t number; /* of the offer that asks */
    unsigned what;   /* enum inspect_what */
    unsigned format; /* enum inspect_format */
    uint64_t value;  /* as `what` says; 0: the usual one */
    go_group *group; /* of the job that it is about; a reference that passes on. NULL: about all */
};

/* The bound of memory that figures show beside what is resident; 0: none. Before the first question. */
void inspect_memory_max(int64_t bytes);

/* Answers in pieces, from a thread of its own: that takes a while, and a goroutine would be among those it tells of. Any
 * thread; waits for nothing but memory. Copies the question. */
void question_answer(const struct question *question);

/* There is no answer, and why. Waits for nothing but memory. */
void question_refuse(const struct question *question, int error, const char *why);

/* Waits until all have been answered; further ones are refused. Before the client is disconnected. */
void questions_end(void);
