/*
 * hello: the smallest plugin.
 *
 *     goctl submit ./hello.so:hello World --wait        Hello, World!
 *
 * In Go:
 *
 *     func hello(name string) { fmt.Printf("Hello, %s!\n", name) }
 */
#include "goplugin.h"

static int hello(gp_job *job)
{
    struct gp_bytes name = gp_argument(job);

    return gp_print(job, "Hello, %.*s!\n", (int)name.size, (const char *)name.data);
}

GP_PLUGIN("hello", "1.0", {"hello", "greets its argument", hello});
