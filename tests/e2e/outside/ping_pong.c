/* A program outside the tree, on libgoroutine alone: two goroutines and two channels. */
#include <stdio.h>

#include "goroutine.h"

struct ends {
    go_chan *ping, *pong;
};

static void answer(void *arg)
{
    struct ends *ends = arg;
    int n;

    while (go_range(ends->ping, &n))
        go_chan_send(ends->pong, &n, GO_FOREVER);
    go_chan_close(ends->pong);
}

static int run(void *arg)
{
    struct ends ends = {go_chan_new(sizeof(int), 0), go_chan_new(sizeof(int), 0)};
    int sum = 0, n;

    (void)arg;
    go_spawn(answer, &ends, sizeof ends);
    for (int i = 1; i <= 100; i++) {
        go_chan_send(ends.ping, &i, GO_FOREVER);
        go_chan_recv(ends.pong, &n, GO_FOREVER);
        sum += n;
    }
    go_chan_close(ends.ping);
    printf("%d\n", sum);
    go_chan_unref(ends.ping);
    go_chan_unref(ends.pong);
    return 0;
}

int main(void)
{
    return go_main(run, NULL);
}
