/*
 * squares: two processes and a channel. Run `squares produce` in one terminal and `squares consume` in another.
 *
 *     func produce(c chan<- string) {        func consume(c <-chan string) {
 *         for i := 1; i <= 5; i++ {              for v := range c {
 *             c <- fmt.Sprint(i * i)                 fmt.Println(v)
 *         }                                      }
 *         close(c)                           }
 *     }
 */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>

#include "goclient.h"

static int produce(gc_client *g, gc_chan c)
{
    int r = 0;

    for (int i = 1; i <= 5 && r >= 0; i++) {
        char text[16];

        snprintf(text, sizeof text, "%d", i * i);
        r = gc_send(g, c, gc_string(text), GC_FOREVER); /* c <- text, when somebody receives it */
    }
    return r < 0 ? r : gc_close(g, c, GC_FOREVER);
}

static int consume(gc_client *g, gc_chan c)
{
    struct gc_value v = {0};
    int r;

    while ((r = gc_range(g, c, &v, 0, GC_FOREVER)) > 0) /* for v := range c */
        printf("%.*s\n", (int)v.size, (const char *)v.data);
    return r < 0 ? r : gc_unlink(g, "squares", GC_FOREVER);
}

int main(int argc, char **argv)
{
    char why[GC_WHY_BYTES];
    gc_client *g;
    gc_chan c;
    int r;

    if (argc != 2 || (*argv[1] != 'p' && *argv[1] != 'c'))
        errx(2, "usage: squares produce|consume");
    if (gc_connect(NULL, &g, why) < 0)
        errx(1, "%s", why);
    r = gc_make(g, "squares", 0, &c, GC_FOREVER); /* c := make(chan string), the same one in both processes */
    if (r >= 0)
        r = *argv[1] == 'p' ? produce(g, c) : consume(g, c);
    if (r < 0)
        warnx("%s", gc_why());
    gc_disconnect(g);
    return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
