/* Invariant: the caller has the stack for itself. It is mapped at the first call and stays; pages that were
 * not touched cost nothing. */
#include "big_stack.h"

#include <sys/mman.h>

#include "annotate.h"
#include "fatal.h"
#include "switch.h"

enum { BIG_STACK_BYTES = 2 << 20 };

static struct {
    char *low;
    unsigned *valgrind_id;
    void (*fn)(void *);
    void *arg;
    void *caller, *callee; /* stack pointers */
} big;

static void begin(void)
{
    const void *bottom = NULL;
    size_t size = 0;

    annotate_arrive(NULL, &bottom, &size);
    big.fn(big.arg);
    annotate_leave(NULL, bottom, size);
    goroutine_switch(&big.callee, big.caller);
    fatal("the stack for foreign code went on after its %s", "end");
}

void big_stack_call(void (*fn)(void *arg), void *arg)
{
    const void *bottom;
    void *fake = NULL;
    size_t size;

    if (!big.low) {
        char *low = mmap(NULL, BIG_STACK_BYTES, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

        if (low == MAP_FAILED) {
            fn(arg);
            return;
        }
        big.low = low;
        big.valgrind_id = annotate_stacks(low, BIG_STACK_BYTES, 1);
    }
    big.fn = fn;
    big.arg = arg;
    annotate_leave(&fake, big.low, BIG_STACK_BYTES);
    goroutine_switch(&big.caller, switch_prepare(big.low + BIG_STACK_BYTES, begin));
    annotate_arrive(fake, &bottom, &size);
}
