/*
 * The pact: a tree that must not outlive its supervisor is ended by its own keeper, whoever else is alive. The
 * supervisor is lost when nobody holds the other end of descriptor 3 any more: the kernel closes it with the last thread
 * of the process, and a pid that was recycled cannot stand in for it.
 *
 * The end is that of any stop: the signal to the leader's group, the time, then SIGKILL. Every descendant that loses its
 * parent becomes a child of the keeper, so killing children until wait() says ECHILD reaches all of them; and the number
 * of a child that was not waited for is nobody else's.
 */

#define STAT_BYTES 512
#define ENTRIES_BYTES 4096
#define LONGEST_PAUSE 200

enum stage { WATCHING, STOPPING, KILLING };

static struct {
  enum stage stage;
  /* 0 once it was waited for: then its number, and its group's, may be another's. */
  long leader;
  long signal, milliseconds;
  long signal_fd;
  unsigned long deadline, pause;
  /* The leader ended because of it, or while it was being carried out. */
  int ended_leader;
} pact;

static unsigned long clock_milliseconds(long clock) {
  long now[2] = {0, 0};
  sys2(SYS_clock_gettime, clock, now);
  return (unsigned long)now[0] * 1000 + (unsigned long)now[1] / 1000000;
}

/* A field of /proc/<pid>/stat, counted from 1, in `stat`; 0 when it cannot be read. */
static const char *stat_field(char *stat, long pid, int wanted) {
  char path[40] = "/proc/";
  unsigned long end = 6 + write_digits(path + 6, (unsigned long)pid);
  for (const char *rest = "/stat"; *rest;) path[end++] = *rest++;
  path[end] = 0;
  long fd = sys4(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
  long size = fd < 0 ? 0 : sys3(SYS_read, fd, stat, STAT_BYTES - 1);
  if (fd >= 0) sys1(SYS_close, fd);
  if (size <= 0) return 0;
  stat[size] = 0;
  /* Field 2, the name, may hold blanks and brackets of its own: fields are counted after the last one. */
  long at = size - 1;
  while (at > 0 && stat[at] != ')') at--;
  int field = 2;
  for (; at > 0 && at < size && field < wanted; at++) field += stat[at] == ' ';
  return field < wanted ? 0 : stat + at;
}

static unsigned long read_digits(const char *text) {
  unsigned long number = 0;
  for (; *text >= '0' && *text <= '9'; text++) number = number * 10 + (unsigned long)(*text - '0');
  return number;
}

static void kill_children(void) {
  static char entries[ENTRIES_BYTES] __attribute__((aligned(8)));
  char stat[STAT_BYTES];
  unsigned long self = (unsigned long)sys0(SYS_getpid);
  long folder = sys4(SYS_openat, AT_FDCWD, "/proc", O_RDONLY | O_CLOEXEC, 0);
  if (folder < 0) {
    /* Without it only the leader is known for certain. */
    if (pact.leader) sys2(SYS_kill, pact.leader, SIGKILL);
    return;
  }
  for (;;) {
    long size = sys3(SYS_getdents64, folder, entries, sizeof entries);
    if (size <= 0) break;
    for (long at = 0; at < size;) {
      char *entry = entries + at;
      at += *(unsigned short *)(entry + 16);
      long pid = (long)read_digits(entry + 19);
      if (pid <= 1) continue;
      const char *parent = stat_field(stat, pid, 4);
      if (parent && read_digits(parent) == self) sys2(SYS_kill, pid, SIGKILL);
    }
  }
  sys1(SYS_close, folder);
}

static int enter_pact(long leader, long signal, long milliseconds) {
  unsigned long child_signal = 1UL << (SIGCHLD - 1);
  long fd = sys4(SYS_signalfd4, -1, &child_signal, SIGSET_BYTES, O_CLOEXEC);
  pact.stage = WATCHING;
  pact.leader = leader;
  pact.signal = signal;
  pact.milliseconds = milliseconds;
  pact.signal_fd = fd;
  return 1;
}

/* Waits for what comes next, an end in the tree or the loss of the supervisor, and does what is due. */
static void keep_pact(int unsaid) {
  unsigned long now = clock_milliseconds(CLOCK_MONOTONIC);
  if (pact.stage == STOPPING && now >= pact.deadline) {
    pact.stage = KILLING;
    pact.pause = 1;
  }
  unsigned long wait = pact.stage == STOPPING ? pact.deadline - now : pact.pause;
  if (pact.stage == KILLING) {
    kill_children();
    if (pact.pause < LONGEST_PAUSE) pact.pause *= 2;
  }
  /* Without a descriptor for it the ends of children are looked for now and then. */
  if (pact.signal_fd < 0 && (pact.stage == WATCHING || wait > LONGEST_PAUSE)) wait = LONGEST_PAUSE;
  long limit[2] = {(long)(wait / 1000), (long)(wait % 1000) * 1000000};
  struct poll polls[2] = {{(int)pact.signal_fd, POLLIN, 0}, {REPORT_FD, unsaid ? POLLOUT : 0, 0}};
  int endless = pact.stage == WATCHING && pact.signal_fd >= 0;
  sys6(SYS_ppoll, (long)polls, pact.stage == WATCHING ? 2 : 1, endless ? 0 : (long)limit, 0, 0, 0);
  if (polls[0].found & POLLIN) {
    char info[SIGNAL_INFO_BYTES];
    sys3(SYS_read, pact.signal_fd, info, sizeof info);
  }
  if (pact.stage == WATCHING && polls[1].found & (POLLHUP | POLLERR | POLLNVAL)) {
    launcher_gone = 1;
    pact.stage = STOPPING;
    pact.deadline = clock_milliseconds(CLOCK_MONOTONIC) + (unsigned long)pact.milliseconds;
    if (pact.leader) sys2(SYS_kill, -pact.leader, pact.signal);
  }
}
