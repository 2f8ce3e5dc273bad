/*
 * What code of a plugin may not ask of the kernel where its configuration says `seccomp = jobs`: one row, one home.
 *
 * DENIED(call, answer): the system call of that name is not made. EPERM, ENOSYS: it fails with that. SIGSYS: nobody asks
 * for it in good faith, and it ends the host, charged to the job. `clone` is denied with a flag that makes a namespace
 * only; `clone3` hides its flags in memory, and who hears ENOSYS uses clone.
 * goroutined-host(8) lists them; a style test compares, and an end-to-end test asks for each.
 */
#pragma once

#define DENIED_CALLS(DENIED)                                                                                 \
    /* other processes */                                                                                    \
    DENIED(ptrace, EPERM)                                                                                    \
    DENIED(process_vm_readv, EPERM)                                                                          \
    DENIED(process_vm_writev, EPERM)                                                                         \
    DENIED(process_madvise, EPERM)                                                                           \
    DENIED(kcmp, EPERM)                                                                                      \
    DENIED(pidfd_getfd, EPERM)                                                                               \
    /* namespaces */                                                                                         \
    DENIED(clone, EPERM)                                                                                     \
    DENIED(clone3, ENOSYS)                                                                                   \
    DENIED(unshare, EPERM)                                                                                   \
    DENIED(setns, EPERM)                                                                                     \
    /* what is mounted where */                                                                              \
    DENIED(mount, EPERM)                                                                                     \
    DENIED(umount2, EPERM)                                                                                   \
    DENIED(pivot_root, EPERM)                                                                                \
    DENIED(chroot, EPERM)                                                                                    \
    DENIED(open_tree, EPERM)                                                                                 \
    DENIED(move_mount, EPERM)                                                                                \
    DENIED(fsopen, EPERM)                                                                                    \
    DENIED(fsconfig, EPERM)                                                                                  \
    DENIED(fsmount, EPERM)                                                                                   \
    DENIED(fspick, EPERM)                                                                                    \
    DENIED(mount_setattr, EPERM)                                                                             \
    DENIED(open_by_handle_at, EPERM)                                                                         \
    DENIED(fanotify_init, EPERM)                                                                             \
    DENIED(quotactl, EPERM)                                                                                  \
    DENIED(quotactl_fd, EPERM)                                                                               \
    /* large doors into the kernel */                                                                        \
    DENIED(bpf, EPERM)                                                                                       \
    DENIED(perf_event_open, EPERM)                                                                           \
    DENIED(userfaultfd, EPERM)                                                                               \
    DENIED(io_uring_setup, EPERM)                                                                            \
    DENIED(io_uring_enter, EPERM)                                                                            \
    DENIED(io_uring_register, EPERM)                                                                         \
    DENIED(keyctl, EPERM)                                                                                    \
    DENIED(add_key, EPERM)                                                                                   \
    DENIED(request_key, EPERM)                                                                               \
    DENIED_CALLS_X86(DENIED)                                                                                 \
    /* what belongs to the whole machine */                                                                  \
    DENIED(settimeofday, EPERM)                                                                              \
    DENIED(clock_settime, EPERM)                                                                             \
    DENIED(adjtimex, EPERM)                                                                                  \
    DENIED(clock_adjtime, EPERM)                                                                             \
    DENIED(sethostname, EPERM)                                                                               \
    DENIED(setdomainname, EPERM)                                                                             \
    DENIED(syslog, EPERM)                                                                                    \
    DENIED(acct, EPERM)                                                                                      \
    DENIED(swapon, SIGSYS)                                                                                   \
    DENIED(swapoff, SIGSYS)                                                                                  \
    DENIED(reboot, SIGSYS)                                                                                   \
    DENIED(kexec_load, SIGSYS)                                                                               \
    DENIED(kexec_file_load, SIGSYS)                                                                          \
    DENIED(init_module, SIGSYS)                                                                              \
    DENIED(finit_module, SIGSYS)                                                                             \
    DENIED(delete_module, SIGSYS)

/* Other machines do not have these. */
#if defined(__x86_64__)
#define DENIED_CALLS_X86(DENIED)                                                                             \
    DENIED(iopl, EPERM)                                                                                      \
    DENIED(ioperm, EPERM)                                                                                    \
    DENIED(modify_ldt, EPERM)
#else
#define DENIED_CALLS_X86(DENIED)
#endif
