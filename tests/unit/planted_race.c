/* Wrong on purpose: two threads write one variable without a lock. Shows that the race build reports races.
 */
#include <pthread.h>
#include <stddef.h>

static int shared;

static void *write_shared(void *unused)
{
    (void)unused;
    shared++;
    return NULL;
}

int main(void)
{
    pthread_t other;
    if (pthread_create(&other, NULL, write_shared, NULL) != 0)
        return 2;
    shared++;
    return pthread_join(other, NULL);
}
