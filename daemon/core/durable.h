/* Durable channels: what the store is told of them, and when. See durable.c. */
#pragma once

#include "engine.h"

/* What the store is told of one value. */
struct deposit {
    struct list link; /* of core->deposits, while the store has not reported on it */
    struct item *item;
    uint64_t batch;             /* in which it entered; 0: it has not */
    struct note *enter, *leave; /* NULL: said */
};

/* ---- the channel ---- */

/* Whether a channel may be made durable as it is asked for. 0, or op_fail was called. */
int durable_check(struct core *core, struct op *op, const struct request_chan_open *open);
/* A new channel becomes durable; `op` waits for the store. 0, -ENOBUFS, -ENOMEM: nothing happened. */
int durable_make(struct core *core, struct op *op, struct channel *c);
/* It is closed as soon as the store has that; `op` waits for it. 0, -ENOMEM. */
int durable_close(struct core *core, struct op *op, struct channel *c);
/* The store forgets it; what is in it stays in memory as long as the channel. `op` waits for that. 0, -ENOMEM. */
int durable_end(struct core *core, struct op *op, struct channel *c);
/* The channel goes: its charges with it. Nothing is said to the store. */
void durable_forget(struct core *core, struct channel *c);

/* ---- its values ---- */

/* A new value of `op` that is to be sent to a durable channel: all that can fail. 0, -EINVAL (it carries channels), -ENOBUFS,
 * -ENOMEM: the item is to be dropped. */
int durable_prepare(struct core *core, struct item *item, const struct value *value);
/* Of one that is prepared: a full store may not refuse it, since it shares a batch with news. */
void durable_is_news(struct item *item);
/* The value goes to the store: it is the channel's when that has it. */
void durable_enter(struct core *core, struct channel *c, struct item *item);
/* Before an operation may receive from a durable channel: all that can fail. 0, -ENOMEM. */
int durable_expect(struct core *core, struct op *op, const struct channel *c);
/* It has received: the result leaves when the store knows that these values may have been seen. */
void durable_received(struct core *core, struct channel *c, struct op *op);
/* Acknowledged: the store may forget it. */
void durable_leave(struct core *core, struct item *item);
/* Its charge, and what was made for it and not said. Accepts items of any channel; safe to repeat. */
void durable_uncharge(struct core *core, struct item *item);
/* Some of its values are with the store, none with a receiver. */
bool op_storing(const struct op *op);

/* ---- the store's word ---- */

/* Batches up to `last` have this fate, as IN_STORED. */
void durable_stored(struct core *core, uint64_t last, int error);
