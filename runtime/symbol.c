/*
 * Names come from libdw, which reads symbol tables and debug information and is loaded when the first address
 * is looked up: no program pays for it that never prints a stack. Without it, or where it knows nothing, the
 * loader is asked, which knows exported functions.
 *
 * Invariants: everything static here is under `lock`. What was found stays found: code is not unloaded while
 * the process may still print addresses of it. libdw needs more stack than a goroutine has, so it runs on one
 * of its own (big_stack.h), which the lock gives to one caller at a time.
 */
#include "symbol.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <link.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <elfutils/libdwfl.h>

#include "big_stack.h"

enum { CACHE_SLOTS = 4096, CACHE_MAX = 3072 }; /* addresses kept; a full cache begins anew */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static struct {
    const void *address;
    struct symbol *symbol;
} cache[CACHE_SLOTS];
static size_t cached;

/* ---- libdw, by name ---- */

#define DW_FUNCTIONS(X)                                                                                      \
    X(dwfl_begin)                                                                                            \
    X(dwfl_report_begin)                                                                                     \
    X(dwfl_linux_proc_report)                                                                                \
    X(dwfl_report_end)                                                                                       \
    X(dwfl_linux_proc_find_elf)                                                                              \
    X(dwfl_build_id_find_debuginfo)                                                                          \
    X(dwfl_addrmodule)                                                                                       \
    X(dwfl_module_addrinfo)                                                                                  \
    X(dwfl_module_getsrc)                                                                                    \
    X(dwfl_lineinfo)                                                                                         \
    X(dwfl_module_nextcu)                                                                                    \
    X(dwarf_haspc)                                                                                           \
    X(dwarf_getsrc_die)                                                                                      \
    X(dwarf_linesrc)                                                                                         \
    X(dwarf_lineno)

static struct {
    bool tried;
    Dwfl *session;              /* NULL: no libdw */
    unsigned long long objects; /* that had been loaded when the session last looked */
#define X(function) __typeof__(function) *(function);
    DW_FUNCTIONS(X)
#undef X
} dw;

/* As the library's own, but a file that a lookup keeps open is no business of programs that we exec. */
static int find_elf(Dwfl_Module *module, void **data, const char *name, Dwarf_Addr base, char **file,
                    Elf **elf)
{
    int fd = dw.dwfl_linux_proc_find_elf(module, data, name, base, file, elf);

    if (fd >= 0)
        fcntl(fd, F_SETFD, FD_CLOEXEC);
    return fd;
}

/* Debug information of separate packages by build id, from this machine: never from the network. */
static int find_debuginfo(Dwfl_Module *module, void **data, const char *name, Dwarf_Addr base,
                          const char *file, const char *link, GElf_Word crc, char **debug_file)
{
    int fd = dw.dwfl_build_id_find_debuginfo(module, data, name, base, file, link, crc, debug_file);

    if (fd >= 0)
        fcntl(fd, F_SETFD, FD_CLOEXEC);
    return fd;
}

static bool dw_bind(void *library)
{
#define X(function)                                                                                          \
    dw.function = (__typeof__(function) *)dlsym(library, #function);                                         \
    if (!dw.function)                                                                                        \
        return false;
    DW_FUNCTIONS(X)
#undef X
    return true;
}

static void dw_open(void)
{
    static char *no_path;
    static const Dwfl_Callbacks callbacks = {
        .find_elf = find_elf, .find_debuginfo = find_debuginfo, .debuginfo_path = &no_path};
    void *library;

    dw.tried = true;
    library = dlopen("libdw.so.1", RTLD_NOW | RTLD_LOCAL);
    if (library && dw_bind(library))
        dw.session = dw.dwfl_begin(&callbacks);
}

static int count_objects(struct dl_phdr_info *info, size_t size, void *arg)
{
    *(unsigned long long *)arg = info->dlpi_adds;
    return 1;
}

/* Lets the session know of what has been loaded since it last looked. */
static void dw_refresh(void)
{
    unsigned long long objects = 0;

    if (!dw.tried)
        dw_open();
    dl_iterate_phdr(count_objects, &objects);
    if (!dw.session || objects == dw.objects)
        return;
    dw.objects = objects;
    dw.dwfl_report_begin(dw.session);
    dw.dwfl_linux_proc_report(dw.session, getpid());
    dw.dwfl_report_end(dw.session, NULL, NULL);
}

/* ---- looking up ---- */

static void copy(char *to, size_t size, const char *from)
{
    snprintf(to, size, "%s", from);
}

const char *symbol_path(const char *path)
{
    while (strncmp(path, "../", 3) == 0)
        path += 3;
    return path;
}

static void ask_loader(const void *address, struct symbol *out)
{
    const char *file;
    Dl_info info;

    if (!dladdr(address, &info))
        return;
    file = strrchr(info.dli_fname, '/');
    copy(out->object, sizeof out->object, file ? file + 1 : info.dli_fname);
    if (info.dli_sname)
        copy(out->name, sizeof out->name, info.dli_sname);
    out->offset =
        (size_t)((const char *)address - (const char *)(info.dli_sname ? info.dli_saddr : info.dli_fbase));
}

/* The compilers of some programs leave out the index of addresses: then every unit is asked. */
static const char *line_of_units(Dwfl_Module *module, Dwarf_Addr address, int *line)
{
    Dwarf_Die *unit = NULL;
    Dwarf_Addr bias;

    while ((unit = dw.dwfl_module_nextcu(module, unit, &bias)))
        if (dw.dwarf_haspc(unit, address - bias) > 0) {
            Dwarf_Line *found = dw.dwarf_getsrc_die(unit, address - bias);

            return found && dw.dwarf_lineno(found, line) == 0 ? dw.dwarf_linesrc(found, NULL, NULL) : NULL;
        }
    return NULL;
}

static void ask_libdw(const void *address, struct symbol *out)
{
    Dwfl_Module *module = dw.session ? dw.dwfl_addrmodule(dw.session, (uintptr_t)address) : NULL;
    GElf_Off offset = 0;
    const char *name, *file;
    Dwfl_Line *line;
    GElf_Sym symbol;

    if (!module)
        return;
    name = dw.dwfl_module_addrinfo(module, (uintptr_t)address, &offset, &symbol, NULL, NULL, NULL);
    if (name && *name) {
        copy(out->name, sizeof out->name, name);
        out->name[1 + strcspn(out->name + 1, ".")] = '\0'; /* .isra.0, .part.1: what a compiler made of it */
        out->offset = offset;
    }
    line = dw.dwfl_module_getsrc(module, (uintptr_t)address);
    file = line ? dw.dwfl_lineinfo(line, NULL, &out->line, NULL, NULL, NULL)
                : line_of_units(module, (uintptr_t)address, &out->line);
    if (file)
        copy(out->file, sizeof out->file, symbol_path(file));
}

struct lookup {
    const void *address;
    struct symbol *out;
};

static void look_up(void *arg)
{
    struct lookup *l = arg;

    memset(l->out, 0, sizeof *l->out);
    dw_refresh();
    ask_loader(l->address, l->out);
    ask_libdw(l->address, l->out);
}

/* ---- what was found before ---- */

static void cache_clear(void)
{
    for (size_t i = 0; i < CACHE_SLOTS; i++) {
        free(cache[i].symbol);
        cache[i].symbol = NULL;
    }
    cached = 0;
}

/* The slot that holds the address, or the free one where it belongs. */
static size_t cache_slot(const void *address)
{
    size_t i = (size_t)((uintptr_t)address * 0x9e3779b97f4a7c15u >> 52) % CACHE_SLOTS;

    while (cache[i].symbol && cache[i].address != address)
        i = (i + 1) % CACHE_SLOTS;
    return i;
}

static void cache_add(const void *address, const struct symbol *symbol)
{
    struct symbol *kept = malloc(sizeof *kept);
    size_t i;

    if (!kept)
        return;
    if (cached == CACHE_MAX)
        cache_clear();
    i = cache_slot(address);
    *kept = *symbol;
    cache[i].address = address;
    cache[i].symbol = kept;
    cached++;
}

void symbol_find(const void *address, struct symbol *out)
{
    struct lookup l = {.address = address, .out = out};
    size_t i;

    pthread_mutex_lock(&lock);
    i = cache_slot(address);
    if (cache[i].symbol) {
        *out = *cache[i].symbol;
    } else {
        big_stack_call(look_up, &l);
        cache_add(address, out);
    }
    pthread_mutex_unlock(&lock);
}

/* ---- variables ---- */

struct variable {
    const void *address;
    char *out;
    size_t size;
    bool found;
};

/* By the object's base: libdw takes what lies behind the file's own pages for no part of it. */
static void variable_look_up(void *arg)
{
    struct variable *v = arg;
    Dwfl_Module *module;
    GElf_Off offset = 0;
    const char *name;
    GElf_Sym symbol;
    Dl_info info;

    dw_refresh();
    if (!dw.session || !dladdr(v->address, &info))
        return;
    module = dw.dwfl_addrmodule(dw.session, (uintptr_t)info.dli_fbase);
    if (!module)
        return;
    name = dw.dwfl_module_addrinfo(module, (uintptr_t)v->address, &offset, &symbol, NULL, NULL, NULL);
    v->found = name && GELF_ST_TYPE(symbol.st_info) == STT_OBJECT && offset < symbol.st_size;
    if (v->found && offset)
        snprintf(v->out, v->size, "%s+%llu", name, (unsigned long long)offset);
    else if (v->found)
        copy(v->out, v->size, name);
}

bool symbol_variable(const void *address, char *out, size_t size)
{
    struct variable v = {.address = address, .out = out, .size = size};

    pthread_mutex_lock(&lock);
    big_stack_call(variable_look_up, &v);
    pthread_mutex_unlock(&lock);
    return v.found;
}

bool symbol_exported(const void *address, char *out, size_t size)
{
    Dl_info info;

    if (!dladdr(address, &info) || !info.dli_sname)
        return false;
    copy(out, size, info.dli_sname);
    return true;
}
