/*
 * Grants that are undone by a CANCEL or RETURN (IP1.3): which ones, the core shows; that only those are, and that it says
 * so, the ledgers judge.
 */
#include "inspect.h"
#include "lock_ledger.h"
#include "sim.h"

enum { UNDOING_MAX = 64 };

/* Grants that the frame which comes now asks to undo. */
static struct undoing {
    uint64_t op;
    enum sim_fault how;
} undoing[UNDOING_MAX];
static size_t undoing_n;

static bool has_grant(const struct sim *sim, uint64_t session, uint64_t op)
{
    return session && core_has_grant(sim->daemon.core, &sim->sessions[session].secret, op);
}

void grants_before(struct sim *sim, uint64_t conn, const struct client_frame *frame)
{
    uint64_t session = sim->conns[conn].session;

    undoing_n = 0;
    for (size_t i = 0; i < frame->cancels_n && undoing_n < UNDOING_MAX; i++)
        if (has_grant(sim, session, frame->cancels[i]))
            undoing[undoing_n++] = (struct undoing){frame->cancels[i], FAULT_GRANT_CANCELLED};
    for (size_t i = 0; i < frame->returns_n && undoing_n < UNDOING_MAX; i++)
        if (has_grant(sim, session, frame->returns[i].op))
            undoing[undoing_n++] = (struct undoing){frame->returns[i].op, FAULT_GRANT_RETURNED};
    for (size_t i = 0; i < undoing_n; i++)
        lock_ledger_undoing(sim->locks, session, undoing[i].op);
}

void grants_after(struct sim *sim, uint64_t conn)
{
    uint64_t session = sim->conns[conn].session;

    for (size_t i = 0; i < undoing_n; i++) {
        if (has_grant(sim, session, undoing[i].op))
            continue;
        sim->faults[undoing[i].how]++;
        lock_ledger_undone(sim->locks, session, undoing[i].op);
        judge_object_undone(sim, session, undoing[i].op);
    }
}
