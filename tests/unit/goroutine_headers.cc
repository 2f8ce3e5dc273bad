// The public headers must serve C++ programs as they are.
#define GO_ERRNO_SAFE
#include "../../runtime/goroutine_host.h"
#include "../../runtime/goroutine_inspect.h"
#include "../../runtime/goroutine_net.h"
#include "../../runtime/goroutine_patterns.h"
#include "../../runtime/goroutine_sync.h"

static void run(void *)
{
    int value = 0;
    go_chan *c = go_chan_new(sizeof value, 1);
    struct go_case cases[] = {GO_RECV(c, &value), GO_DONE(go_ctx_background()), GO_TIMER(nullptr, nullptr)};

    errno = 0;
    go_select(cases, 3, go_both(go_after_ms(1), go_ctx_background()));
    go_chan_unref(c);
    if (go_recover())
        go_panic("%d", errno);
    go_fd_close(go_fd_number(go_listen(nullptr, "0")));
}

int main()
{
    return go_spawn(run, nullptr, 0);
}
