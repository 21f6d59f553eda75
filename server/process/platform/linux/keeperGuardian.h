/*
 * The guardian: waits for the end of its supervisor and starts the successor. It knows no rules of its own; how long to
 * wait before each start, and when to give up, the supervisor has computed beforehand with the core that restarts
 * services.
 *
 * Descriptor 3 is a socket to the supervisor, who sends a plan, anew whenever it changes. All numbers are of 32 bit in
 * this machine's order:
 *   bytes that follow, losses so far, count of delays, count of arguments, count of environment entries,
 *   the delays in milliseconds,
 *   then texts that each end with NUL: log, record, beginning of the record, end of the record, arguments, environment
 * The arguments are the successor's without the number of losses, which is added as the last one. The guardian answers
 *   planned
 * A plan of no bytes dismisses it. The end of the socket without that is the loss of the supervisor.
 *
 * A successor has a session of its own, `/` as its folder, the log as its stdout and stderr, and as descriptor 3 a pipe
 * on which a line says that it is in charge and has a guardian of its own; with that this one ends. The line `+` says
 * that it is in charge and has none yet. One that says nothing for too long hangs, and is killed. One that ends before is
 * followed by the next, after the next delay; what the system has no room to start is tried again without using one up.
 * When no delay is left the record is written: its beginning, the number of losses, when that was, how the last one
 * ended, which of its words names a file that is not there, and its end.
 *
 * It has a group of its own in the session of its supervisor. Where the supervisor ends while this one is stopped, that
 * group is an orphaned one with a stopped process in it, and the kernel itself continues it (POSIX, _exit).
 */

#define PLAN_HEADER_BYTES 16
#define MOST_DELAYS 64
#define ACCESS_EXISTS 0
/* From its start a successor needs about 100 ms until it speaks. The clock stands still while the machine sleeps. */
#ifndef SPEECHLESS_MILLISECONDS
#define SPEECHLESS_MILLISECONDS 30000
#endif
#define NO_ROOM_MILLISECONDS 1000
#define GUARD_ON '+'
/* By the child that could not become the successor. */
#define NO_ROOM '!'

struct plan {
  char *words[REQUEST_WORDS + 4];
  unsigned int header[PLAN_HEADER_BYTES / 4];
  unsigned int delays[MOST_DELAYS];
  char texts[REQUEST_BYTES];
};

/* The plan that holds, and room for the next: a supervisor may be lost in the middle of sending one. */
static struct plan *plan, *next_plan;

static void pause_milliseconds(unsigned long milliseconds) {
  long rest[2] = {(long)(milliseconds / 1000), (long)(milliseconds % 1000) * 1000000};
  while (sys2(SYS_nanosleep, rest, rest) == -EINTR) continue;
}

enum word { PLANNED, DISMISSED, LOST, NONSENSE };

static enum word hear(void) {
  unsigned int length;
  if (!read_fully(&length, sizeof length)) return LOST;
  if (!length) return DISMISSED;
  if (length <= PLAN_HEADER_BYTES || !read_fully(next_plan->header, PLAN_HEADER_BYTES)) return LOST;
  unsigned int count = next_plan->header[1];
  unsigned int before = PLAN_HEADER_BYTES + count * 4;
  if (count > MOST_DELAYS || length <= before || length - before > REQUEST_BYTES) return NONSENSE;
  if (!read_fully(next_plan->delays, count * 4) || !read_fully(next_plan->texts, length - before)) return LOST;
  unsigned int argc = next_plan->header[2], envc = next_plan->header[3];
  /* The number of losses needs a place behind the arguments. */
  if (argc >= REQUEST_WORDS / 2 || envc >= REQUEST_WORDS / 2) return NONSENSE;
  if (!split_texts(next_plan->words, next_plan->texts, length - before, argc, envc)) return NONSENSE;
  struct plan *old = plan;
  plan = next_plan;
  next_plan = old;
  /* It may hold secrets that were withdrawn. */
  sys3(SYS_madvise, old, sizeof *old, MADV_DONTNEED);
  return PLANNED;
}

/* Becomes the successor; comes back with an error only. */
static long succeed(unsigned int losses, long pipe, unsigned long mask) {
  static char *argv[REQUEST_WORDS / 2 + 2];
  static char number[24];
  char **words = plan->words + FIXED_TEXTS;
  unsigned int argc = plan->header[2];
  for (unsigned int at = 0; at < argc; at++) argv[at] = words[at];
  number[write_digits(number, losses)] = 0;
  argv[argc] = number;
  sys0(SYS_setsid);
  long error = sys3(SYS_dup3, pipe, REPORT_FD, 0);
  long log = sys4(SYS_openat, AT_FDCWD, plan->words[0], O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
  for (long fd = 1; fd <= 2 && log >= 0; fd++) sys3(SYS_dup3, log, fd, 0);
  sys4(SYS_rt_sigprocmask, SIG_SETMASK, &mask, 0, SIGSET_BYTES);
  if (error >= 0) error = sys3(SYS_execve, argv[0], argv, words + argc + 1);
  return error;
}

static int is_no_room(long error) {
  return error == -EAGAIN || error == -ENOMEM || error == -ENFILE || error == -EMFILE;
}

/* What a successor says last, 0 when it ends without a word; one that hangs is ended. */
static char listen_to(long channel, long pid) {
  unsigned long deadline = clock_milliseconds(CLOCK_MONOTONIC) + SPEECHLESS_MILLISECONDS;
  int spoke = 0;
  for (;;) {
    unsigned long now = clock_milliseconds(CLOCK_MONOTONIC), rest = now < deadline ? deadline - now : 0;
    long limit[2] = {(long)(rest / 1000), (long)(rest % 1000) * 1000000};
    struct poll poll = {(int)channel, POLLIN, 0};
    if (!sys6(SYS_ppoll, (long)&poll, 1, spoke ? 0 : (long)limit, 0, 0, 0)) {
      /* Nobody has waited for it: the number is still its own. */
      sys2(SYS_kill, pid, SIGKILL);
      return 0;
    }
    char word = 0;
    long got = sys3(SYS_read, channel, &word, 1);
    if (got == -EINTR) continue;
    if (got != 1) return 0;
    if (word == GUARD_ON) spoke = 1;
    else if (word != '\n') return word;
  }
}

enum { NOT_STARTED = -2, IN_CHARGE = -1 };

/* Starts a successor and waits until it is in charge, or has ended, which gives its status. */
static int try_successor(unsigned int losses, unsigned long mask) {
  int channel[2], status = 0;
  if (sys2(SYS_pipe2, channel, O_CLOEXEC) < 0) return NOT_STARTED;
  long pid = sys1(SYS_clone, SIGCHLD);
  if (pid == 0) {
    static const char no_room = NO_ROOM;
    if (is_no_room(succeed(losses, channel[1], mask))) sys3(SYS_write, REPORT_FD, &no_room, 1);
    sys1(SYS_exit_group, 127);
  }
  sys1(SYS_close, channel[1]);
  char word = pid > 0 ? listen_to(channel[0], pid) : NO_ROOM;
  sys1(SYS_close, channel[0]);
  if (word && word != NO_ROOM) return IN_CHARGE;
  while (pid > 0 && sys4(SYS_wait4, pid, &status, WAIT_ALL, 0) == -EINTR) continue;
  return word ? NOT_STARTED : status;
}

static void write_all(long fd, const char *text, unsigned long length) {
  while (length) {
    long written = sys3(SYS_write, fd, text, length);
    if (written <= 0) return;
    text += written;
    length -= (unsigned long)written;
  }
}

/* Replaces the record; a folder that was deleted is not made again. */
static void give_up(unsigned int losses, int status) {
  if (!remember_paths(plan->words[1])) return;
  long fd = sys4(SYS_openat, AT_FDCWD, temporary_path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (fd < 0) return;
  write_all(fd, plan->words[2], (unsigned long)(end_of(plan->words[2]) - plan->words[2]));
  message.length = 0;
  put_text("\"losses\":");
  put_number(plan->header[0] + losses);
  put_text(",\"at\":");
  put_number(clock_milliseconds(CLOCK_REALTIME));
  put_text(",");
  if (status < 0) put_text("\"code\":null,\"signal\":null");
  else put_end(status);
  put_text(",\"missing\":");
  unsigned int word = 0, argc = plan->header[2];
  char **argv = plan->words + FIXED_TEXTS;
  while (word < argc && (argv[word][0] != '/' || !sys3(SYS_faccessat, AT_FDCWD, argv[word], ACCESS_EXISTS))) word++;
  if (word < argc) put_number(word);
  else put_text("null");
  write_all(fd, message.bytes, message.length);
  write_all(fd, plan->words[3], (unsigned long)(end_of(plan->words[3]) - plan->words[3]));
  sys1(SYS_close, fd);
  rename_file(temporary_path, record_path);
}

/* Codes of a successor that has no need of another: it ended in order, another has the workspace, it was asked to. */
static int is_settled(int status) {
  int code = status >> 8 & 0xff;
  return !(status & 0x7f) && (code == 0 || code == 2 || code == 130 || code == 143);
}

static long replace_supervisor(unsigned long mask) {
  int status = -1;
  unsigned int count = plan->header[1];
  for (unsigned int at = 0; at < count; at++) {
    pause_milliseconds(plan->delays[at]);
    while ((status = try_successor(at + 1, mask)) == NOT_STARTED) pause_milliseconds(NO_ROOM_MILLISECONDS);
    if (status == IN_CHARGE || is_settled(status)) return 0;
  }
  give_up(count + 1, status);
  return 1;
}

/* Each is a mapping of its own, as pages are dropped whole. */
static struct plan *map_plan(void) {
  long mapped = sys6(SYS_mmap, 0, sizeof *plan, PROT_READ_WRITE, MAP_PRIVATE_ANONYMOUS, -1, 0);
  return mapped < 0 && mapped > -4096 ? 0 : (struct plan *)mapped;
}

static long guard(unsigned long mask) {
  sys2(SYS_prctl, PR_SET_NAME, "coppice-guard");
  sys2(SYS_setpgid, 0, 0);
  /* Whoever shuts the machine down must not have to wait for a guardian that waits for its next delay. */
  unsigned long asked = 1UL << (SIGTERM - 1);
  sys4(SYS_rt_sigprocmask, SIG_UNBLOCK, &asked, 0, SIGSET_BYTES);
  if (!(plan = map_plan()) || !(next_plan = map_plan())) return 71;
  sys1(SYS_chdir, "/");
  wipe(environment_start, environment_end);
  for (int planned = 0;; planned = 1) {
    switch (hear()) {
      case PLANNED:
        begin_report("planned");
        report();
        break;
      case DISMISSED:
        return 0;
      case NONSENSE:
        return 65;
      case LOST:
        sys1(SYS_close, REPORT_FD);
        return planned ? replace_supervisor(mask) : 0;
    }
  }
}
