/* The lines that a keeper, or the spawner, says on descriptor 3. */

#define REPORT_FD 3
#define SETTLE_ATTEMPTS 100
#define ATTEMPT_NANOSECONDS 100000000L

enum sending { SENT, UNSENT, NOBODY };

/* What is being put together; all texts of the keeper are short, and one that is not is cut. */
static struct {
  char bytes[512];
  unsigned long length;
} message;

/* Whole lines that wait for room in the socket, which the keepers of one spawner share. */
static struct {
  char bytes[1024];
  unsigned long length;
} unsent;

/* Of the request that this keeper serves; 0 for the keeper of a launcher that started it itself. */
static unsigned long request_number;
/* Set once it is known that there is no launcher to hear anything. */
static int launcher_gone;
/* Whether this keeper still stands in the session of its spawner. */
static int in_spawner_session;

static void put_text(const char *text) {
  while (*text && message.length < sizeof message.bytes) message.bytes[message.length++] = *text++;
}

/* Also for paths; gives the number of digits. */
static unsigned long write_digits(char *to, unsigned long number) {
  char reversed[24];
  unsigned long count = 0, written = 0;
  do reversed[count++] = (char)('0' + number % 10);
  while (number /= 10);
  while (count) to[written++] = reversed[--count];
  return written;
}

static void put_number(unsigned long number) {
  if (message.length + 24 <= sizeof message.bytes) {
    message.length += write_digits(message.bytes + message.length, number);
  }
}

static void begin_report(const char *word) {
  message.length = 0;
  if (request_number) {
    put_number(request_number);
    put_text(" ");
  }
  put_text(word);
}

/* Says what waits. Never blocks: a launcher that stopped reading is no reason to stop reaping. */
static enum sending flush_reports(void) {
  if (unsent.length) {
    long length = (long)unsent.length;
    long sent = sys6(SYS_sendto, REPORT_FD, (long)unsent.bytes, length, MSG_NOSIGNAL | MSG_DONTWAIT, 0, 0);
    /* Not a socket when a person tries the keeper by hand with 3>file. SIGPIPE is blocked by then. */
    if (sent == -ENOTSOCK) sent = sys3(SYS_write, REPORT_FD, unsent.bytes, length);
    /* A message this short is taken as a whole or not at all: the kernel never splits one buffer of a stream socket. */
    if (sent == -EAGAIN || sent == -EINTR) return UNSENT;
    if (sent != length) launcher_gone = 1;
    unsent.length = 0;
  }
  /* A launcher whose spawner was killed takes an empty session for the proof that every keeper has had its say. */
  if (in_spawner_session) {
    in_spawner_session = 0;
    sys0(SYS_setsid);
  }
  return launcher_gone ? NOBODY : SENT;
}

static enum sending report(void) {
  put_text("\n");
  for (unsigned long at = 0; at < message.length && unsent.length < sizeof unsent.bytes; at++) {
    unsent.bytes[unsent.length++] = message.bytes[at];
  }
  message.length = 0;
  return flush_reports();
}

struct poll {
  int fd;
  short events, found;
};

static void await_room(void) {
  struct poll poll = {REPORT_FD, POLLOUT, 0};
  long limit[2] = {0, ATTEMPT_NANOSECONDS};
  sys6(SYS_ppoll, (long)&poll, 1, (long)limit, 0, 0, 0);
}

/* Waits until all is said, not for ever. */
static enum sending settle_reports(void) {
  enum sending result = flush_reports();
  for (int attempt = 0; result == UNSENT && attempt < SETTLE_ATTEMPTS; attempt++) {
    await_room();
    result = flush_reports();
  }
  return result;
}
