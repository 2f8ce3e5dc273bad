/* What calls about feeds cost. */
#include "costs.h"
#include "goclient_feed.h"

void prove_costs_of_feeds(gc_client *g, const char *plugin)
{
    struct gc_feed what = {
        .size = sizeof what, .name = "costs", .pattern = "costs.>", .plugin = plugin, .function = "echo"};
    struct gc_feed_page page;

    costs("gc_feed_set", assert_ok(gc_feed_set(g, &what, GC_FOREVER)));
    costs("gc_feed_pause", assert_ok(gc_feed_pause(g, "costs", GC_FOREVER)));
    costs("gc_feed_resume", assert_ok(gc_feed_resume(g, "costs", GC_FOREVER)));
    costs("gc_feeds", assert_int_equal(gc_feeds(g, NULL, NULL, 0, &page, GC_FOREVER), 1));
    gc_feed_page_clear(&page);
    costs("gc_feed_remove", assert_ok(gc_feed_remove(g, "costs", GC_FOREVER)));
}
