/* Names of addresses: function, file and line of code, the variable of data. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct symbol {
    char name[128]; /* "" when nobody knows */
    size_t offset;  /* of the address behind the name's start, or behind the object's base */
    char object[64];
    char file[160]; /* "" without debug information; the compiler's path without leading "../" */
    int line;
};

/* Of the instruction at `address`; a return address points behind the call, give it less one. Any thread, any
 * goroutine, whatever is left of its stack; reads files the first time. */
void symbol_find(const void *address, struct symbol *out);

/* The name of the global or static variable that holds `address`; false: it is no such memory, or unknown. */
bool symbol_variable(const void *address, char *out, size_t size);

/* By the loader alone, without files: exported functions only. False: unknown. Needs no lock of ours. */
bool symbol_exported(const void *address, char *out, size_t size);

/* A path for people: without leading "../". */
const char *symbol_path(const char *path);
