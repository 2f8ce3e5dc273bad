/*
 * Backups: see backup.h. What must hold: a BACKUP is answered with the name of a copy that the store has written, each with one of
 * its own; and only to the daemon's own user.
 */
#include "backup.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lives.h"

enum { COPY_NAME = 32 };

void work_backup(struct client *client)
{
    struct task *task = task_new(client, VERB_BACKUP);

    work_until(task);
    task_start(task);
}

static size_t write_name(char to[COPY_NAME], uint64_t number)
{
    return (size_t)snprintf(to, COPY_NAME, "backups/%llu", (unsigned long long)number);
}

int copy_write(struct sim *sim, uint64_t number, struct bytes *said)
{
    static char name[COPY_NAME];
    struct lives *lives = sim->lives;

    if (sim->faults_on && chance(sim, 1, 3)) {
        *said = chance(sim, 1, 2) ? (struct bytes){"the disk is full", 16} : (struct bytes){0};
        return -ENOSPC;
    }
    lives->copies = realloc(lives->copies, sizeof(*lives->copies) * (lives->copies_n + 1));
    if (!lives->copies)
        abort();
    lives->copies[lives->copies_n++] = (struct copy){.number = number};
    *said = (struct bytes){name, write_name(name, number)};
    return 0;
}

static struct copy *copy_find(struct sim *sim, struct bytes text)
{
    char name[COPY_NAME];

    for (size_t i = sim->lives->copies_n; i > 0; i--) {
        struct copy *copy = &sim->lives->copies[i - 1];
        size_t n = write_name(name, copy->number);
        if (text.size == n && memcmp(text.data, name, n) == 0)
            return copy;
    }
    return NULL;
}

void judge_backup_reply(struct sim *sim, uint64_t session, const struct result *result)
{
    struct copy *copy = result->status < 0 ? NULL : copy_find(sim, result->text);

    if (result->status >= 0 && (!sim->owned || (sim->ruled && sim->sessions[session].who)))
        sim_fail(sim, "somebody has a backup who may not");
    else if (result->status >= 0 && !copy)
        sim_fail(sim, "a backup is answered with '%.*s', which nobody has written", (int)result->text.size,
                 (const char *)result->text.data);
    else if (copy && copy->op && (copy->session != session || copy->op != result->op))
        sim_fail(sim, "two backups are answered with copy %llu", (unsigned long long)copy->number);
    else if (copy)
        *copy = (struct copy){copy->number, session, result->op};
}
