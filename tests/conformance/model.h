/*
 * What channels must do, without any waiting: a reference to compare with.
 *
 * An operation is a set of cases. The model says which of them are ready, applies the one that took effect,
 * and lists the parked operations that ended by it, with their results. Operations wait in one list, in the
 * order of their arrival; a channel is a queue of at most `capacity` values and a flag.
 */
#pragma once

#include "conform.h"

enum { MODEL_CHANNELS = 3, MODEL_CAPACITY_MAX = 3, MODEL_OPS_MAX = 64, NIL = -1 };

struct model_case {
    enum way way;
    int chan;       /* NIL: never ready (N1) */
    uint64_t value; /* to send */
};

struct model_op {
    struct model_case cases[CHOICES_MAX];
    int cases_n;
    int many;   /* a batch of so many; 0: none */
    void *user; /* the test's */
};

/* What a parked operation must have returned. */
struct model_end {
    void *user;
    uint32_t indexes; /* a bit per case that may have been the one */
    int status;       /* 0, 1 or -EPIPE */
    uint64_t value;   /* received */
};

struct model {
    struct {
        int capacity, length;
        uint64_t buffer[MODEL_CAPACITY_MAX];
        bool closed;
    } chan[MODEL_CHANNELS];
    struct model_op parked[MODEL_OPS_MAX]; /* in order of arrival */
    int parked_n;
    struct model_end ended[MODEL_OPS_MAX]; /* by the last call */
    int ended_n;
};

void model_init(struct model *model, const int *capacities);
/* A bit per case that can take effect now. */
uint32_t model_ready(const struct model *model, const struct model_op *op);
/* Lets a ready case take effect: its status; *value is what a receive gives. */
int model_apply(struct model *model, const struct model_case *what, uint64_t *value);
void model_park(struct model *model, const struct model_op *op);
/* 0 or -EPIPE. */
int model_close(struct model *model, int chan);
/* Takes out parked operation i. */
void model_remove(struct model *model, int i);
