/*
 * Zones of schedules. The shell reads a zone when a schedule of it is set and when the daemon starts; what it read is
 * copied. A zone that cannot be read any more is told of its schedules; one that never could is asked for again.
 */
#include <errno.h>
#include <string.h>

#include "schedule.h"

static bool is_called(const struct zone_place *place, struct bytes name)
{
    return bytes_are(name, place->name, place->name_size);
}

static struct zone_place *zone_find(const struct core *core, struct bytes name)
{
    struct zone_place *place;

    list_each (place, &core->jobs->schedules->zones, link)
        if (is_called(place, name))
            return place;
    return NULL;
}

static struct zone *zone_copy(struct core *core, const struct zone *from)
{
    size_t size = sizeof(*from) + from->changes_n * sizeof(*from->changes);
    struct zone *copy = core_alloc(core, size);

    return copy ? memcpy(copy, from, size) : NULL;
}

/* UTC is known to all. */
static bool set_utc(struct core *core, struct zone_place *place)
{
    static const struct zone utc;

    if (!is_called(place, (struct bytes){"UTC", 3}))
        return true;
    place->zone = zone_copy(core, &utc);
    return place->zone;
}

struct zone_place *zone_get(struct core *core, struct bytes name)
{
    struct zone_place *place = zone_find(core, name);

    if (!place) {
        place = core_alloc(core, sizeof(*place) + name.size);
        if (!place)
            return NULL;
        place->name_size = (uint8_t)name.size;
        memcpy(place->name, name.data, name.size);
        if (!set_utc(core, place)) {
            core_free(core, place);
            return NULL;
        }
        list_append(&core->jobs->schedules->zones, &place->link);
    }
    place->users++;
    return place;
}

void zone_drop(struct core *core, struct zone_place *place)
{
    if (--place->users)
        return;
    list_remove(&place->link);
    core_free(core, place->zone);
    core_free(core, place);
}

int zone_ask(struct core *core, struct zone_place *place)
{
    if (place->asked || is_called(place, (struct bytes){"UTC", 3}))
        return 0;
    struct effect *effect = effect_new(core, EFFECT_ZONE, place->name_size);
    if (!effect)
        return -ENOMEM;
    effect->zone = effect_text(effect, (struct bytes){place->name, place->name_size});
    place->asked = true;
    return 0;
}

/* Takes what was read, or notes why there is nothing. */
static void take(struct core *core, struct zone_place *place, const struct input *in)
{
    struct zone *zone = in->zone.error ? NULL : zone_copy(core, in->zone.zone);

    place->asked = false;
    place->error = in->zone.error ? in->zone.error : zone ? 0 : -ENOMEM;
    text_write(place->trouble, sizeof(place->trouble), "%.*s", (int)in->zone.text.size,
               (const char *)in->zone.text.data);
    if (!zone)
        return;
    if (PLANTED(NO_SUMMER))
        zone->changes_n = 0;
    core_free(core, place->zone);
    place->zone = zone;
}

void jobs_zone(struct core *core, const struct input *in)
{
    const struct schedules *all = core->jobs->schedules;
    struct zone_place *place = zone_find(core, in->zone.name);
    struct map_node *n = NULL;

    if (!place || !place->asked)
        return;
    take(core, place, in);
    while ((n = map_walk(&all->by_name, n))) {
        struct schedule *s = map_entry(n, struct schedule, node);

        if (s->place == place)
            schedule_arm(core, s);
    }
    schedules_go_on(core, NULL, 0, (struct bytes){0});
}
