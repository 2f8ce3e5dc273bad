/* What the simulated shell looks at for the core: plugins and zones. Answers come as events. */
#pragma once

#include "sim.h"

void plugin_look(struct sim *sim, struct bytes path);
void zone_look(struct sim *sim, struct bytes name);
void event_plugin(struct sim *sim, struct event *event);
void event_zone(struct sim *sim, struct event *event);
