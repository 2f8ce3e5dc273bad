/* Plugins that a host must refuse, and one that it must take: chosen by a macro at build time. */
#include "goplugin.h"

__attribute__((unused)) static int nothing(gp_job *job)
{
    (void)job;
    return 0;
}

#if defined(VARIANT_GOOD)
GP_PLUGIN("good", "1.2",
          {"one", "the first", nothing, {.attempts_max = 7, .backoff_ms = 20, .time_limit_ms = 300}},
          {"two", "the second", nothing});
#elif defined(VARIANT_TWICE)
GP_PLUGIN("twice", "1.0", {"same", "", nothing}, {"same", "", nothing});
#elif defined(VARIANT_BAD_NAME)
GP_PLUGIN("bad", "1.0", {"with space", "", nothing});
#elif defined(VARIANT_NO_CODE)
GP_PLUGIN("bad", "1.0", {"hollow", "", NULL});
#elif defined(VARIANT_OTHER_ABI)
static const struct gp_function functions[] = {{"one", "", nothing, {0}}};
__attribute__((visibility("default"))) extern const struct gp_manifest gp_manifest;
const struct gp_manifest gp_manifest = {GP_MAGIC, GP_ABI + 1, sizeof gp_manifest, "abi", "1.0", functions, 1};
#elif defined(VARIANT_NO_MANIFEST)
__attribute__((visibility("default"))) int (*unused)(gp_job *job) = nothing;
#elif defined(VARIANT_UNRESOLVED)
int no_such_symbol_anywhere(void);
__attribute__((visibility("default"))) int (*needed)(void) = no_such_symbol_anywhere;
GP_PLUGIN("unresolved", "1.0", {"one", "", nothing});
#endif
