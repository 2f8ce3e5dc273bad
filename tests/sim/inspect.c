/* Counts of what the core holds, and the switch of its planted bugs. */
#include "inspect.h"

#include <string.h>

#include "engine.h"

struct left core_left(const struct core *core)
{
    return (struct left){
        .operations = core->ops_n,
        .parked = core->parked_n,
        .resolved = core->resolved_n,
        .results = core->results_n,
        .channels = core->channels_n,
        .sessions = core->sessions.count,
        .handles = core->handles.count,
        .connections = core->links.count,
        .ended = core->ended.count,
        .locks = core->syncs.count,
        .contexts = core->contexts.by_id.count,
    };
}

enum core_sight core_look(const struct core *core, const struct secret *session, uint64_t op)
{
    const struct session *found = session_find(core, session);

    if (!found)
        return CORE_NO_SESSION;
    return op_find(core, found, op) ? CORE_OPERATION : CORE_NO_OPERATION;
}

bool core_scope_lives(const struct core *core, const struct secret *session, uint64_t run)
{
    const struct session *found = session_find(core, session);

    return found && scope_find(core, found, run);
}

#ifdef CORE_PLANT
bool core_plant(const char *name)
{
    static const struct {
        const char *name;
        enum plant plant;
    } plants[] = {{"no-dedup", PLANT_NO_DEDUP},
                  {"lost-repark", PLANT_LOST_REPARK},
                  {"wrong-requeue", PLANT_WRONG_REQUEUE},
                  {"double-grant", PLANT_DOUBLE_GRANT},
                  {"early-reply", PLANT_EARLY_REPLY},
                  {"two-owners", PLANT_TWO_OWNERS},
                  {"forgotten-death", PLANT_FORGOTTEN_DEATH},
                  {"lost-unit", PLANT_LOST_UNIT}};

    for (size_t i = 0; i < sizeof(plants) / sizeof(*plants); i++)
        if (strcmp(plants[i].name, name) == 0) {
            core_planted = plants[i].plant;
            return true;
        }
    return false;
}
#else
bool core_plant(const char *name)
{
    (void)name;
    return false;
}
#endif
