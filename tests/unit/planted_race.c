/* Wrong on purpose: two threads write one variable without a lock. Shows that the race build reports races. They write it many
 * times: of two writes in the same instant the sanitizer may see neither beside the other. */
#include <pthread.h>
#include <stddef.h>

enum { WRITES = 1000 };

static volatile int shared; /* each of the writes is one */

static void *write_shared(void *unused)
{
    for (int i = 0; i < WRITES; i++)
        shared++;
    return unused;
}

int main(void)
{
    pthread_t other;
    if (pthread_create(&other, NULL, write_shared, NULL) != 0)
        return 2;
    write_shared(NULL);
    return pthread_join(other, NULL);
}
