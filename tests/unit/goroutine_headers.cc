// The public headers must serve C++ programs as they are.
#define GO_ERRNO_SAFE
#include "../../runtime/goroutine_host.h"
#include "../../runtime/goroutine_inspect.h"
#include "../../runtime/goroutine_net.h"
#include "../../runtime/goroutine_test.h"
#include "../../runtime/goroutine_patterns.h"
#include "../../runtime/goroutine_sync.h"

GO_CTX_KEY(count, int)

static int fly(void *value, void *)
{
    *static_cast<int *>(value) = 1;
    return 0;
}

static int scope_body(go_scope *scope, void *)
{
    go_scope_panic panic;
    return go_scope_wait(scope, &panic);
}

static void compose(void)
{
    go_semaphore semaphore = {6, {}};
    go_singleflight flights = {sizeof(int), {}};
    int value = 0;
    go_ctx *ctx = count_with(go_ctx_background(), &value, nullptr);

    go_semaphore_acquire(&semaphore, *count_of(ctx), GO_NOW);
    go_singleflight_do(&flights, go_key_text("key"), fly, nullptr, &value, nullptr);
    go_singleflight_forget(&flights, GO_KEY(value));
    go_scope_run(scope_body, nullptr, ctx);
    go_ctx_unref(ctx);
}

static void run(void *)
{
    compose();

    int value = 0;
    go_chan *c = go_chan_new(sizeof value, 1);
    struct go_case cases[] = {GO_RECV(c, &value), GO_DONE(go_ctx_background()), GO_TIMER(nullptr, nullptr)};

    errno = 0;
    go_select(cases, 3, go_both(go_after_ms(1), go_ctx_background()));
    go_chan_unref(c);
    if (go_recover())
        go_panic("%d", errno);
    compose();
    go_fd_close(go_fd_number(go_listen(nullptr, "0")));
}

int main()
{
    return go_spawn(run, nullptr, 0);
}
