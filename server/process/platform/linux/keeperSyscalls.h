/* Raw Linux system calls for the two architectures the keeper is built for. The numbers and flags are kernel ABI. */
#if defined(__x86_64__)

#define SYS_write 1
#define SYS_read 0
#define SYS_close 3
#define SYS_mmap 9
#define SYS_munmap 11
#define SYS_madvise 28
#define SYS_rt_sigprocmask 14
#define SYS_nanosleep 35
#define SYS_getpid 39
#define SYS_sendto 44
#define SYS_clone 56
#define SYS_kill 62
#define SYS_getdents64 217
#define SYS_faccessat 269
#define SYS_execve 59
#define SYS_exit_group 231
#define SYS_wait4 61
#define SYS_fcntl 72
#define SYS_chdir 80
#define SYS_rename 82
#define SYS_setpgid 109
#define SYS_setsid 112
#define SYS_prctl 157
#define SYS_clock_gettime 228
#define SYS_ppoll 271
#define SYS_signalfd4 289
#define SYS_openat 257
#define SYS_dup3 292
#define SYS_pipe2 293
#define SYS_close_range 436
#define O_NOFOLLOW 0400000

static long sys6(long number, long a, long b, long c, long d, long e, long f) {
  long result;
  register long r10 __asm__("r10") = d;
  register long r8 __asm__("r8") = e;
  register long r9 __asm__("r9") = f;
  __asm__ volatile("syscall"
                   : "=a"(result)
                   : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                   : "rcx", "r11", "memory");
  return result;
}

/* The kernel enters with the stack pointer at argc; the ABI wants it aligned to 16 before a call. */
__asm__(".globl _start\n_start:\n  xor %ebp, %ebp\n  mov %rsp, %rdi\n  and $-16, %rsp\n  call start\n");

#elif defined(__aarch64__)

#define SYS_dup3 24
#define SYS_fcntl 25
#define SYS_renameat 38
#define SYS_faccessat 48
#define SYS_getdents64 61
#define SYS_kill 129
#define SYS_chdir 49
#define SYS_openat 56
#define SYS_close 57
#define SYS_pipe2 59
#define SYS_read 63
#define SYS_write 64
#define SYS_ppoll 73
#define SYS_signalfd4 74
#define SYS_exit_group 94
#define SYS_nanosleep 101
#define SYS_clock_gettime 113
#define SYS_rt_sigprocmask 135
#define SYS_setpgid 154
#define SYS_setsid 157
#define SYS_prctl 167
#define SYS_getpid 172
#define SYS_sendto 206
#define SYS_munmap 215
#define SYS_clone 220
#define SYS_execve 221
#define SYS_mmap 222
#define SYS_madvise 233
#define SYS_wait4 260
#define SYS_close_range 436
#define O_NOFOLLOW 0100000

static long sys6(long number, long a, long b, long c, long d, long e, long f) {
  register long x8 __asm__("x8") = number;
  register long x0 __asm__("x0") = a;
  register long x1 __asm__("x1") = b;
  register long x2 __asm__("x2") = c;
  register long x3 __asm__("x3") = d;
  register long x4 __asm__("x4") = e;
  register long x5 __asm__("x5") = f;
  __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5) : "memory");
  return x0;
}

__asm__(".globl _start\n_start:\n  mov x29, #0\n  mov x30, #0\n  mov x0, sp\n  bl start\n");

#else
#error "no system calls known for this architecture"
#endif

#define O_RDONLY 0
#define O_WRONLY 01
#define O_CREAT 0100
#define O_TRUNC 01000
#define O_APPEND 02000
#define O_CLOEXEC 02000000
#define AT_FDCWD (-100)
#define F_SETFD 2
#define FD_CLOEXEC 1
#define SIGKILL 9
#define SIGTERM 15
#define SIGCHLD 17
#define SIG_BLOCK 0
#define SIG_UNBLOCK 1
#define SIG_SETMASK 2
#define SIGSET_BYTES 8
#define PR_SET_NAME 15
#define PR_SET_CHILD_SUBREAPER 36
#define CLOCK_REALTIME 0
#define CLOCK_MONOTONIC 1
#define MSG_DONTWAIT 0x40
#define MSG_NOSIGNAL 0x4000
#define POLLIN 1
#define POLLOUT 4
#define POLLERR 8
#define POLLHUP 16
#define POLLNVAL 32
#define SIGNAL_INFO_BYTES 128
#define PROT_READ_WRITE 3
#define MAP_PRIVATE_ANONYMOUS 0x22
#define MADV_DONTNEED 4
#define ENOENT 2
#define EINTR 4
#define ECHILD 10
#define EAGAIN 11
#define ENOMEM 12
#define ENFILE 23
#define EMFILE 24
#define ENOSPC 28
#define ENAMETOOLONG 36
#define ENOTSOCK 88
#define WNOHANG 1
#define WAIT_ALL 0x40000000 /* __WALL */

#define sys0(n) sys6(n, 0, 0, 0, 0, 0, 0)
#define sys1(n, a) sys6(n, (long)(a), 0, 0, 0, 0, 0)
#define sys2(n, a, b) sys6(n, (long)(a), (long)(b), 0, 0, 0, 0)
#define sys3(n, a, b, c) sys6(n, (long)(a), (long)(b), (long)(c), 0, 0, 0)
#define sys4(n, a, b, c, d) sys6(n, (long)(a), (long)(b), (long)(c), (long)(d), 0, 0)

static long rename_file(const char *from, const char *to) {
#ifdef SYS_rename
  return sys2(SYS_rename, from, to);
#else
  return sys4(SYS_renameat, AT_FDCWD, from, AT_FDCWD, to);
#endif
}
