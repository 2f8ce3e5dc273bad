/* BACKUP in the simulator: clients ask for copies of the store, the store writes them or says why not, answers are judged. */
#pragma once

#include "sim.h"

/* A copy that the store has written, and whom it was told. */
struct copy {
    uint64_t number; /* of the fetch; its name */
    uint64_t session, op;
};

void work_backup(struct client *client);
/* The store ends a fetch of kind BACKUP: *said lives until the next one. As struct input's fetched.error. */
int copy_write(struct sim *sim, uint64_t number, struct bytes *said);
/* A result leaves the daemon. */
void judge_backup_reply(struct sim *sim, uint64_t session, const struct result *result);
