/* What calls about schedules cost. */
#include "costs.h"
#include "goclient_schedule.h"

void prove_costs_of_schedules(gc_client *g, const char *plugin)
{
    struct gc_submit job = {.size = sizeof job, .plugin = plugin, .function = "echo"};
    struct gc_schedule what = {.size = sizeof what, .name = "costs", .spec = "@yearly", .submit = &job};
    struct gc_schedule_page page;

    costs("gc_schedule_set", assert_ok(gc_schedule_set(g, &what, GC_FOREVER)));
    costs("gc_schedule_pause", assert_int_equal(gc_schedule_pause(g, "costs", GC_FOREVER), 1));
    costs("gc_schedule_resume", assert_int_equal(gc_schedule_resume(g, "costs", GC_FOREVER), 1));
    costs("gc_schedules", assert_int_equal(gc_schedules(g, NULL, NULL, 0, &page, GC_FOREVER), 1));
    gc_schedule_page_clear(&page);
    costs("gc_schedule_remove", assert_ok(gc_schedule_remove(g, "costs", GC_FOREVER)));
}
