/*
 * timeout: wait for whichever comes first, on any of the channels named, or for a second.
 *
 *     select {
 *     case v := <-results:
 *         fmt.Printf("results: %s\n", v)
 *     case e := <-errors:
 *         fmt.Printf("errors: %s\n", e)
 *     case <-time.After(time.Second):
 *         fmt.Println("nothing for a second")
 *     }
 */
#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "goclient.h"

int main(void)
{
    char why[GC_WHY_BYTES];
    gc_client *g;
    gc_chan results, errors;
    struct gc_value v = {0}, e = {0};

    if (gc_connect(NULL, &g, why) < 0)
        errx(1, "%s", why);
    if (gc_make(g, "results", 1, &results, GC_FOREVER) < 0 ||
        gc_make(g, "errors", 1, &errors, GC_FOREVER) < 0)
        errx(1, "%s", gc_why());

    struct gc_case cases[] = {gc_case_recv(results, &v), gc_case_recv(errors, &e)};
    int r = gc_select(g, cases, 2, 0, gc_after_ms(1000));
    if (r == 0)
        printf("results: %.*s\n", (int)v.size, (const char *)v.data);
    else if (r == 1)
        printf("errors: %.*s\n", (int)e.size, (const char *)e.data);
    else if (r == -ETIMEDOUT)
        printf("nothing for a second\n");
    else
        warnx("%s", gc_why());

    gc_value_clear(&v);
    gc_value_clear(&e);
    gc_disconnect(g);
    return r < 0 && r != -ETIMEDOUT ? EXIT_FAILURE : EXIT_SUCCESS;
}
