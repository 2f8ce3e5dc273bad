/* Wrong on purpose: forgets memory. Shows that the memory build reports leaks. */
#include <stdlib.h>
#include <string.h>

static void *volatile last;

/* Many blocks: the address of the last one may survive in a register, and then it counts as reachable. */
__attribute__((noinline)) static int forget_blocks(void)
{
    for (int i = 0; i < 16; i++) {
        last = malloc(1789);
        if (!last)
            return -1;
        memset(last, 1, 1789);
    }
    last = NULL;
    return 0;
}

int main(void)
{
    return forget_blocks() < 0 ? 2 : 0;
}
