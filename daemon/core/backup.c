/* BACKUP: the store writes a copy of all it has; that takes its time, and only who asked waits for it. */
#include <errno.h>

#include "engine.h"

static void written(struct core *core, struct op *op, void *context, const struct input *in)
{
    const struct bytes *said = &in->fetched.body;
    int r = PLANTED(FALSE_BACKUP) ? 0 : in->fetched.error;

    if (!op)
        return; /* nobody waits any more; the copy stays */
    if (r < 0 && said->size)
        return op_fail(core, op, r, "%.*s", (int)said->size, (const char *)said->data);
    if (r == 0)
        r = op_answer(core, op, &(struct result){.text = *said});
    if (r < 0)
        op_finish(core, op, r);
}

int handle_backup(struct core *core, struct op *op, const struct request *request)
{
    const struct fetch what = {.kind = FETCH_BACKUP, .wall_ns = core->now.wall_ns};

    if (!account_owns(core, op->scope->account))
        return -EPERM;
    op->try = false; /* nobody is waited for */
    return core_fetch(core, &what, written, op, NULL);
}
