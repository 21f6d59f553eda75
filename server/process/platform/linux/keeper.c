/*
 * The keeper: the tiny parent of one managed process tree on Linux.
 *
 *   keeper <exit record> <ignore|hold>[:<signal>:<ms>] -- <program> <argv0> [argument...]
 *   keeper --spawner           starts keepers upon request, see keeperSpawner.h
 *   keeper --guardian <id>     starts a successor when the supervisor is lost, see keeperGuardian.h
 *
 * It starts the program as leader of a session of its own, waits for it, writes how it ended to the exit record, and
 * stays until the last descendant is gone. Being a subreaper it becomes the parent of every orphan below it, so wait()
 * saying ECHILD is the kernel's own proof that the tree is empty; only then does it exit, with code 0.
 *
 * File descriptor 3 is a socket to whoever launched it, who may die at any time:
 *   started <pid> <start time> <keeper's start time> <keeper's pid>   the program was exec'd
 *   error <cwd|output|record|stdin|fork|exec> <errno>                 it was not; the keeper exits with 127
 *   exited <code|-> <signal name|->                                   the leader ended and the record is written
 *
 * With a signal and a time, a tree that must not outlive its supervisor ends with it, see keeperPact.h.
 *
 * Below a spawner all keepers share its socket, and each line begins with the number of the request and a blank.
 *
 * Freestanding (no libc, no relocations), so that one small file runs on every distribution and costs next to nothing
 * in memory. Start times are field 22 of /proc/<pid>/stat; they are read here because only the parent of a process
 * can be sure that it was not reaped before it could be looked at.
 */

#include "keeperSyscalls.h"
#include "keeperReport.h"
#include "keeperPact.h"

#define RECORD_ATTEMPTS 60
#define PATH_BYTES 4096

static char record_path[PATH_BYTES];
static char temporary_path[PATH_BYTES + 8];

/* The names that Node uses for the same numbers; x86_64 and aarch64 agree on them. */
static void put_signal(int number) {
  static const char names[32][8] = {"",     "HUP",  "INT",    "QUIT", "ILL",  "TRAP", "ABRT",   "BUS",
                                    "FPE",  "KILL", "USR1",   "SEGV", "USR2", "PIPE", "ALRM",   "TERM",
                                    "STKFLT", "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU",   "URG",
                                    "XCPU", "XFSZ", "VTALRM", "PROF", "WINCH", "IO",  "PWR",    "SYS"};
  put_text("SIG");
  if (number < 32) put_text(names[number]);
  else put_number((unsigned long)number);
}

static void put_start_time(long pid) {
  char stat[STAT_BYTES];
  const char *at = stat_field(stat, pid, 22);
  if (!at) put_text("-");
  else for (; *at >= '0' && *at <= '9' && message.length < sizeof message.bytes; at++) message.bytes[message.length++] = *at;
}

/* How a process ended, as JSON. */
static void put_end(int status) {
  int signal = status & 0x7f;
  put_text("\"code\":");
  if (signal) put_text("null");
  else put_number((unsigned long)(status >> 8 & 0xff));
  put_text(",\"signal\":");
  if (signal) {
    put_text("\"");
    put_signal(signal);
    put_text("\"");
  } else {
    put_text("null");
  }
}

/* Writes a new file and renames it, so that a reader finds no record or a whole one. Returns 0 or a negative errno. */
static long write_record(long pid, int status, unsigned long at) {
  message.length = 0;
  put_text("{\"pid\":");
  put_number((unsigned long)pid);
  put_text(",");
  put_end(status);
  put_text(",\"at\":");
  put_number(at);
  put_text(",\"witness\":\"keeper\"");
  if (pact.ended_leader) put_text(",\"pact\":true");
  put_text("}\n");
  long length = (long)message.length;
  message.length = 0;
  long fd = sys4(SYS_openat, AT_FDCWD, temporary_path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (fd < 0) return fd;
  long written = sys3(SYS_write, fd, message.bytes, length);
  sys1(SYS_close, fd);
  if (written != length) return written < 0 ? written : -ENOSPC;
  return rename_file(temporary_path, record_path);
}

/* True when there is nothing left to try. A folder that was deleted is not missed, and never made again. */
static int is_recorded(long pid, int status, unsigned long at) {
  long result = write_record(pid, status, at);
  return result == 0 || result == -ENOENT;
}

static void put_status(int status) {
  int signal = status & 0x7f;
  if (signal) put_text("-");
  else put_number((unsigned long)(status >> 8 & 0xff));
  put_text(" ");
  if (signal) put_signal(signal);
  else put_text("-");
}

static long report_error(const char *stage, long negative_errno) {
  begin_report("error ");
  put_text(stage);
  put_text(" ");
  put_number((unsigned long)-negative_errno);
  report();
  settle_reports();
  return 127;
}

/* Descriptors that leaked into the launcher without close-on-exec are nobody's business here or below: one of them may
   be the pipe at whose end somebody waits. */
static void close_inherited(void) {
  sys3(SYS_fcntl, REPORT_FD, F_SETFD, FD_CLOEXEC);
  if (sys3(SYS_close_range, REPORT_FD + 1, ~0U, 0) == 0) return;
  for (long fd = REPORT_FD + 1; fd < 4096; fd++) sys1(SYS_close, fd); /* Linux before 5.9 */
}

static void wipe(char *from, char *to) {
  for (volatile char *at = from; at < to; at++) *at = 0;
}

/* Copies the path of the record out of the arguments before they are wiped; false when it is too long. */
static int remember_paths(const char *path) {
  unsigned long length = 0;
  for (; path[length]; length++) {
    if (length + 1 >= PATH_BYTES) return 0;
    record_path[length] = temporary_path[length] = path[length];
  }
  for (const char *rest = ".tmp"; *rest;) temporary_path[length++] = *rest++;
  return 1;
}

/* A tree to start, everything decided. */
struct tree {
  int hold;
  /* Descriptor that becomes its stdout and stderr; -1 when 1 and 2 are that already. */
  long output;
  const char *program;
  char **argv;
  char **envp;
  unsigned long mask;
  /* When the supervisor is lost; signal 0: the tree goes on without it. */
  long stop_signal, stop_milliseconds;
  /* Removes the command and its environment from the keeper's memory. */
  void (*forget)(void);
};

static long keep(const struct tree *tree) {
  sys2(SYS_prctl, PR_SET_NAME, "coppice-keeper");
  long no_reaper = sys2(SYS_prctl, PR_SET_CHILD_SUBREAPER, 1);
  int input[2], error_pipe[2];
  long failed;
  if (tree->hold && (failed = sys2(SYS_pipe2, input, O_CLOEXEC)) < 0) return report_error("stdin", failed);
  if ((failed = sys2(SYS_pipe2, error_pipe, O_CLOEXEC)) < 0) return report_error("fork", failed);

  long leader = sys1(SYS_clone, SIGCHLD);
  if (leader < 0) return report_error("fork", leader);
  if (leader == 0) {
    sys0(SYS_setsid);
    long error = tree->hold ? sys3(SYS_dup3, input[0], 0, 0) : 0;
    for (long fd = 1; fd <= 2 && error >= 0 && tree->output >= 0; fd++) error = sys3(SYS_dup3, tree->output, fd, 0);
    sys4(SYS_rt_sigprocmask, SIG_SETMASK, &tree->mask, 0, SIGSET_BYTES);
    if (error >= 0) error = sys3(SYS_execve, tree->program, tree->argv, tree->envp);
    sys3(SYS_write, error_pipe[1], &error, sizeof error);
    sys1(SYS_exit_group, 127);
  }

  tree->forget();
  sys1(SYS_close, error_pipe[1]);
  if (tree->hold) sys1(SYS_close, input[0]);
  if (tree->output >= 0) sys1(SYS_close, tree->output);
  for (long fd = 0; fd < REPORT_FD; fd++) sys1(SYS_close, fd);
  sys1(SYS_chdir, "/");
  long error = 0;
  long got;
  do got = sys3(SYS_read, error_pipe[0], &error, sizeof error);
  while (got == -EINTR);
  sys1(SYS_close, error_pipe[0]);
  if (got == sizeof error) {
    sys4(SYS_wait4, leader, 0, WAIT_ALL, 0);
    return report_error("exec", error);
  }

  begin_report("started ");
  put_number((unsigned long)leader);
  put_text(" ");
  put_start_time(leader);
  put_text(" ");
  put_start_time(sys0(SYS_getpid));
  put_text(" ");
  put_number((unsigned long)sys0(SYS_getpid));
  report();

  int leader_status = 0, recorded = 1;
  unsigned long ended_at = 0;
  int bound = tree->stop_signal > 0 && enter_pact(leader, tree->stop_signal, tree->stop_milliseconds);
  for (;;) {
    int status = 0;
    /* A launcher that does not read is no reason to stop reaping: what could not be said yet is tried again. */
    int unsaid = flush_reports() == UNSENT;
    long pid = sys4(SYS_wait4, -1, &status, unsaid || bound ? WAIT_ALL | WNOHANG : WAIT_ALL, 0);
    if (pid == 0 && bound) keep_pact(unsaid);
    else if (pid == 0) await_room();
    if (pid == -ECHILD) break;
    if (pid == leader && !ended_at) {
      ended_at = clock_milliseconds(CLOCK_REALTIME);
      pact.leader = 0;
      pact.ended_leader = pact.stage != WATCHING;
      leader_status = status;
      recorded = is_recorded(leader, leader_status, ended_at);
      begin_report("exited ");
      put_status(leader_status);
      report();
    } else if (!recorded && pid > 0) {
      recorded = is_recorded(leader, leader_status, ended_at);
    }
  }
  /* A launcher that took the report knows the code; the record is for those who come when there is none. Nobody else
     knows it while the disk is full: keep trying, not for ever. */
  int told = settle_reports() == SENT;
  for (int attempts = 0; !recorded && !told && attempts < RECORD_ATTEMPTS; attempts++) {
    long second[2] = {1, 0};
    sys2(SYS_nanosleep, second, 0);
    recorded = is_recorded(leader, leader_status, ended_at);
  }
  /* Without reaping orphans ECHILD proves nothing; then this is not the clean end that others take for a proof. */
  return no_reaper ? 1 : 0;
}

static char *command_start, *command_end, *environment_start, *environment_end;

/* A scan for the marker must find members only, and a user's own `pkill -f vite` must not find the keeper. The child
   has a copy of its own. */
static void forget_arguments(void) {
  wipe(environment_start, environment_end);
  wipe(command_start, command_end);
}

static char *end_of(char *text) {
  while (*text) text++;
  return text;
}

static int same_text(const char *a, const char *b) {
  while (*a && *a == *b) a++, b++;
  return *a == *b;
}

/* Reads digits up to `end` and steps over it; 0 for anything else. */
static long take_number(const char **text, char end) {
  long number = 0;
  const char *at = *text;
  for (; *at >= '0' && *at <= '9' && number < 100000000L; at++) number = number * 10 + (*at - '0');
  if (at == *text || *at != end) return 0;
  *text = *at ? at + 1 : at;
  return number;
}

/* `ignore` or `hold`, with a pact `:<signal>:<ms>` behind it. */
static int read_mode(const char *mode, struct tree *tree) {
  tree->hold = mode[0] == 'h';
  const char *rest = tree->hold ? "hold" : "ignore";
  while (*rest && *mode == *rest) mode++, rest++;
  if (*rest) return 0;
  if (!*mode) return 1;
  if (*mode++ != ':') return 0;
  tree->stop_signal = take_number(&mode, ':');
  tree->stop_milliseconds = take_number(&mode, 0);
  return tree->stop_signal > 0 && tree->stop_signal <= 64 && !*mode;
}

#include "keeperRequest.h"
#include "keeperSpawner.h"
#include "keeperGuardian.h"

static long run(long argc, char **argv, char **envp) {
  char **last = envp;
  while (*last) last++;
  if (last > envp) {
    environment_start = envp[0];
    environment_end = end_of(last[-1]);
  }
  int spawner = argc == 2 && same_text(argv[1], "--spawner");
  int guardian = argc == 3 && same_text(argv[1], "--guardian");
  struct tree tree = {0, -1, 0, 0, envp, 0, 0, 0, forget_arguments};
  if (!spawner && !guardian) {
    if (argc < 6 || !same_text(argv[3], "--") || !read_mode(argv[2], &tree) || !remember_paths(argv[1])) return 64;
    tree.program = argv[4];
    tree.argv = argv + 5;
  }
  close_inherited();
  unsigned long all_signals = ~0UL, launcher_mask = 0;
  sys4(SYS_rt_sigprocmask, SIG_BLOCK, &all_signals, &launcher_mask, SIGSET_BYTES);
  if (guardian) return guard(launcher_mask);
  command_start = argv[spawner ? 1 : 2];
  command_end = end_of(argv[argc - 1]);
  if (spawner) return serve_requests(launcher_mask);
  tree.mask = launcher_mask;
  return keep(&tree);
}

__attribute__((used, noreturn)) void start(long *stack) {
  long argc = stack[0];
  char **argv = (char **)(stack + 1);
  sys1(SYS_exit_group, run(argc, argv, argv + argc + 1));
  __builtin_unreachable();
}
