/*
 * The filter of system calls: everything is let but the rows of denied.h.
 *
 * What ends the host is a signal that the kernel sends in place of the call, so that the host's last words name job and
 * call. Code that catches the signal has not made the call either. Calls of another architecture's numbers end it without.
 */
#include "sandbox.h"

#include <errno.h>
#include <sched.h>
#include <seccomp.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "denied.h"

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x00000080
#endif

static const struct denied {
    const char *name;
    int call;
    uint32_t action;
} denied[] = {
#define ACTION_EPERM      SCMP_ACT_ERRNO(EPERM)
#define ACTION_ENOSYS     SCMP_ACT_ERRNO(ENOSYS)
#define ACTION_SIGSYS     SCMP_ACT_TRAP
#define ROW(call, answer) {#call, SYS_##call, ACTION_##answer},
    DENIED_CALLS(ROW)
#undef ROW
};

void sandbox_begin(void)
{
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

/* A step of niceness is a quarter more or less. The middle between two steps belongs to the higher share. */
void sandbox_share(unsigned weight)
{
    double share = 100, half = 0.894; /* the root of 4/5 */
    int nice = 0;

    for (; nice < 19 && weight < share * half; nice++)
        share *= 0.8;
    for (; nice > -20 && weight * half > share; nice--)
        share *= 1.25;
    setpriority(PRIO_PROCESS, 0, nice); /* failing is harmless */
}

const char *sandbox_denied(int call)
{
    for (size_t i = 0; i < sizeof denied / sizeof *denied; i++)
        if (denied[i].call == call)
            return denied[i].name;
    return NULL;
}

/* One rule for each flag: a call has to have just one of them. */
static int deny_namespaces(scmp_filter_ctx filter, uint32_t action)
{
    static const scmp_datum_t flags[] = {CLONE_NEWUSER, CLONE_NEWNS,     CLONE_NEWPID, CLONE_NEWNET,
                                         CLONE_NEWIPC,  CLONE_NEWCGROUP, CLONE_NEWUTS, CLONE_NEWTIME};
    int r = 0;

    for (size_t i = 0; r == 0 && i < sizeof flags / sizeof *flags; i++)
        r = seccomp_rule_add(filter, action, SYS_clone, 1, SCMP_A0(SCMP_CMP_MASKED_EQ, flags[i], flags[i]));
    return r;
}

static int fill(scmp_filter_ctx filter)
{
    int r = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);

    if (r == 0)
        r = seccomp_attr_set(filter, SCMP_FLTATR_API_SYSRAWRC,
                             1); /* why the kernel refuses, not that it did */
    if (r == 0)
        r = seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE,
                             2); /* a tree: every call of the host is looked up */
    for (size_t i = 0; r == 0 && i < sizeof denied / sizeof *denied; i++)
        r = denied[i].call == SYS_clone ? deny_namespaces(filter, denied[i].action)
                                        : seccomp_rule_add(filter, denied[i].action, denied[i].call, 0);
    return r;
}

int sandbox_apply(const char *profile)
{
    scmp_filter_ctx filter;
    int r;

    if (strcmp(profile, "none") == 0)
        return 0;
    if (strcmp(profile, "jobs") != 0)
        return -EINVAL;
    filter = seccomp_init(SCMP_ACT_ALLOW);
    if (!filter)
        return -ENOMEM;
    r = fill(filter);
    if (r == 0)
        r = seccomp_load(filter);
    seccomp_release(filter);
    return r;
}
