/* Counts of what the core holds, and the switch of its planted bugs. */
#include "inspect.h"

#include <string.h>

#include "core_internal.h"

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
    };
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
                  {"early-reply", PLANT_EARLY_REPLY}};

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
