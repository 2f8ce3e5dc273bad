/*
 * A handler of a fatal signal may neither allocate nor take a lock, and names need both. So a child process looks
 * them up, in its copy of the memory: whatever it finds broken, or locked by a thread that it has not got, ends the
 * child, by a signal or by an alarm, and the process that dies goes on without names.
 */
#include "last_words.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <unwind.h>

#include "backtrace.h"
#include "dump.h"
#include "goroutine_host.h"
#include "interrupted.h"

enum { CHILD_SECONDS_MAX = 3, TEXT_BYTES = 16384 };

/* ---- in the child ---- */

struct walk {
    uintptr_t pc; /* where the signal came */
    bool arrived;
    void **frames;
    int n, max;
};

static _Unwind_Reason_Code walk_step(struct _Unwind_Context *context, void *arg)
{
    struct walk *w = arg;
    uintptr_t pc = _Unwind_GetIP(context);

    if (!w->arrived && pc == w->pc) {
        w->arrived = true;
        pc++;
    }
    if (w->arrived && pc && w->n < w->max)
        w->frames[w->n++] = (void *)pc;
    return pc == 0 || w->n == w->max ? _URC_END_OF_STACK : _URC_NO_REASON;
}

/* With unwind data, which knows of functions without a frame, too; it goes out through the handler. Leaves alone what
 * the walk of frame pointers found when it finds less. */
static int unwind(const void *context, void **frames, int n)
{
    void *found[GO_FRAMES_MAX];
    struct walk w = {.pc = interrupted_pc(context), .frames = found, .max = GO_FRAMES_MAX};

    _Unwind_Backtrace(walk_step, &w);
    if (w.n < n)
        return n;
    memcpy(frames, found, (size_t)w.n * sizeof *frames);
    return w.n;
}

/* What the child is to name: `n` return addresses, or with a context what the signal interrupted, trimmed. */
struct request {
    const void *context;
    void *const *frames;
    int n;
};

static int request_text(const struct request *r, char *text, size_t size)
{
    void *frames[GO_FRAMES_MAX];
    int n;

    if (!r->context)
        return backtrace_lines(r->frames, r->n, text, size);
    n = interrupted_frames(r->context, frames, GO_FRAMES_MAX);
    n = unwind(r->context, frames, n);
    return backtrace_format(frames, n, text, size);
}

static void __attribute__((noreturn)) child(const struct request *r, int out)
{
    static const int fatal[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGALRM};
    char text[TEXT_BYTES];
    sigset_t none;
    int used;

    for (size_t i = 0; i < sizeof fatal / sizeof *fatal; i++)
        signal(fatal[i], SIG_DFL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    alarm(CHILD_SECONDS_MAX);
    used = request_text(r, text, sizeof text);
    used = used < TEXT_BYTES ? used : TEXT_BYTES - 1;
    _exit(fd_write(out, text, (size_t)used + 1) == 0 ? 0 : 1); /* with the final NUL: it came to the end */
}

/* ---- in the process that dies ---- */

/* Up to the NUL. -EIO: it does not come, or there is no room for it. */
static int text_read(int in, char *out, size_t size)
{
    size_t used = 0;
    ssize_t r;

    while (used < size && ((r = read(in, out + used, size - used)) > 0 || (r < 0 && errno == EINTR)))
        used += r > 0 ? (size_t)r : 0;
    return used > 0 && out[used - 1] == '\0' ? (int)used - 1 : -EIO;
}

static int ask_child(const struct request *request, char *out, size_t size)
{
    int p[2], status, r;
    pid_t pid;

    if (pipe2(p, O_CLOEXEC) < 0)
        return -errno;
    pid = _Fork();
    if (pid == 0)
        child(request, p[1]);
    r = pid < 0 ? -errno : 0;
    close(p[1]);
    if (r == 0)
        r = text_read(p[0], out, size);
    close(p[0]);
    while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
        continue;
    return r;
}

int last_words_stack(const void *context, char *out, size_t size)
{
    return ask_child(&(struct request){.context = context}, out, size);
}

int go_crash_stack(void *const *frames, int n, char *out, size_t size)
{
    return ask_child(&(struct request){.frames = frames, .n = n}, out, size);
}
