/*
 * The spawner: starts keepers for a launcher whose own fork would cost a hundred times as much (Linux copies the page
 * tables of the process that forks: 1.4 ms for a Node process of 70 MB).
 *
 * Descriptor 3 is a socket to the launcher. A request, all numbers 32 bit in this machine's order:
 *   bytes that follow, number, 1 to hold stdin, signal of the pact or 0, its milliseconds,
 *   count of arguments, count of environment entries,
 *   then texts that each end with NUL: cwd, output, exit record, program, arguments, environment
 * What the spawner itself says:
 *   ready
 *   <number> error fork <errno>
 *   <number> ended <code|-> <signal name|->     the keeper ended; comes after all that the keeper said
 * It ends with the launcher, and upon a request that it does not understand. Keepers do not end with it.
 */

#define MOST_KEEPERS 65536
#define HEADER_BYTES 24

struct kept {
  unsigned int pid, number;
};

/* One mapping, so that a keeper can let go of all of it at once. */
static struct area {
  struct kept keepers[MOST_KEEPERS];
  char *words[REQUEST_WORDS + 4];
  char request[REQUEST_BYTES];
} *area;
static unsigned long keeper_count;
static long signal_fd;

static void forget_request(void) {
  wipe(command_start, command_end);
  sys2(SYS_munmap, area, sizeof *area);
}

/* Runs as the new keeper. */
static long keep_request(const unsigned int *header, unsigned long mask) {
  char **words = area->words;
  unsigned int argc = header[4];
  request_number = header[0];
  in_spawner_session = 1;
  unsent.length = 0;
  sys1(SYS_close, signal_fd);
  if (!remember_paths(words[2])) return report_error("record", -ENAMETOOLONG);
  long output = sys4(SYS_openat, AT_FDCWD, words[1], O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (output < 0) return report_error("output", output);
  long entered = sys1(SYS_chdir, words[0]);
  if (entered < 0) return report_error("cwd", entered);
  struct tree tree = {(int)header[1],         output,          words[3], words + 4, words + 4 + argc + 1, mask,
                      (long)header[2], (long)header[3], forget_request};
  return keep(&tree);
}

/* False for what is no request. */
static int serve_request(unsigned long mask) {
  unsigned int length, header[HEADER_BYTES / 4];
  if (!read_fully(&length, sizeof length)) return 0;
  if (length <= HEADER_BYTES || length - HEADER_BYTES > REQUEST_BYTES) return 0;
  if (!read_fully(header, HEADER_BYTES)) return 0;
  unsigned int number = header[0], bytes = length - HEADER_BYTES;
  if (!number || header[1] > 1 || header[2] > 64) return 0;
  if (!read_fully(area->request, bytes)) return 0;
  if (!split_texts(area->words, area->request, bytes, header[4], header[5])) return 0;

  long pid = keeper_count < MOST_KEEPERS ? sys1(SYS_clone, SIGCHLD) : -EAGAIN;
  if (pid == 0) sys1(SYS_exit_group, keep_request(header, mask));
  /* Whatever secrets an environment holds, they are not kept here; and pages that are shared are cheaper to drop than
     to overwrite. */
  sys3(SYS_madvise, area->words, sizeof *area - ((char *)area->words - (char *)area), MADV_DONTNEED);
  if (pid < 0) {
    request_number = number;
    begin_report("error fork ");
    put_number((unsigned long)-pid);
    report();
  } else {
    area->keepers[keeper_count++] = (struct kept){(unsigned int)pid, number};
  }
  return 1;
}

/* Keepers that ended stay zombies, and so their numbers theirs, while there is no room to tell of them. */
static void reap_keepers(void) {
  while (flush_reports() != UNSENT) {
    int status = 0;
    long pid = sys4(SYS_wait4, -1, &status, WAIT_ALL | WNOHANG, 0);
    if (pid <= 0) return;
    unsigned long at = keeper_count;
    while (at && area->keepers[at - 1].pid != (unsigned int)pid) at--;
    if (!at) continue;
    request_number = area->keepers[at - 1].number;
    area->keepers[at - 1] = area->keepers[--keeper_count];
    begin_report("ended ");
    put_status(status);
    report();
  }
}

static long serve_requests(unsigned long mask) {
  sys2(SYS_prctl, PR_SET_NAME, "coppice-spawner");
  unsigned long child_signal = 1UL << (SIGCHLD - 1);
  long mapped = sys6(SYS_mmap, 0, sizeof *area, PROT_READ_WRITE, MAP_PRIVATE_ANONYMOUS, -1, 0);
  signal_fd = sys4(SYS_signalfd4, -1, &child_signal, SIGSET_BYTES, O_CLOEXEC);
  if (mapped < 0 && mapped > -4096) return 71;
  if (signal_fd < 0) return 71;
  area = (struct area *)mapped;
  sys1(SYS_chdir, "/");
  wipe(environment_start, environment_end);
  begin_report("ready");
  report();
  for (;;) {
    /* Nothing new is begun while there is no room to tell of the old. */
    struct poll polls[2] = {{REPORT_FD, unsent.length ? POLLOUT : POLLIN, 0}, {(int)signal_fd, POLLIN, 0}};
    sys6(SYS_ppoll, (long)polls, 2, 0, 0, 0, 0);
    /* A launcher that is gone has no use for what it asked for. */
    if (polls[0].found & (POLLHUP | POLLERR)) return 0;
    if (polls[1].found) {
      char info[SIGNAL_INFO_BYTES];
      sys3(SYS_read, signal_fd, info, sizeof info);
    }
    reap_keepers();
    if (polls[0].found & POLLIN && !serve_request(mask)) return 65;
  }
}
