/* Starting a thread that takes no signals: those belong to the hub. */
#pragma once

#include <pthread.h>

/* 0, -EAGAIN, -ENOMEM. */
int thread_start(pthread_t *thread, void *(*run)(void *), void *argument);
