/*
 * The processes of a measurement: started one by one until each is ready, ended by a signal, and what CPU they took. A
 * failure ends the program with words.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

int64_t clock_ns(void);
void sleep_ms(int64_t ms);

/* Zeros that all processes started from now on share; for good. */
void *shared_memory(size_t bytes);

/* A process that does this until it is ended; returns when it has called ready(), which it does once. It ends with who
 * started it. */
pid_t process_start(void (*work)(const char *where, size_t number), const char *where, size_t number);
void ready(void);
void process_end(pid_t pid);
/* Waits for one that ends by itself; it must end in order. */
void process_await(pid_t pid);

/* CPU time of a process so far; 0 for none. */
int64_t cpu_ns(pid_t pid);
/* The same with that of its children, and theirs, that are alive. */
int64_t cpu_family_ns(pid_t pid);
