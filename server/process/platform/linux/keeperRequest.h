/* What the spawner and the guardian read from descriptor 3: numbers of 32 bit, then texts that each end with NUL. */

#define REQUEST_BYTES (1024 * 1024)
#define REQUEST_WORDS 32768
/* Before the arguments and the environment there are always four. */
#define FIXED_TEXTS 4

/* False at the end of the socket, or when it broke. */
static int read_fully(void *to, unsigned long length) {
  char *at = to;
  while (length) {
    long got = sys3(SYS_read, REPORT_FD, at, length);
    if (got == -EINTR) continue;
    if (got <= 0) return 0;
    at += got;
    length -= (unsigned long)got;
  }
  return 1;
}

/* Points `words` at the fixed texts, the arguments and the environment, each list with its end; false for what is none.
   There must be room for REQUEST_WORDS and four more. */
static int split_texts(char **words, char *texts, unsigned int bytes, unsigned int argc, unsigned int envc) {
  /* Two ends of lists need a place too. */
  if (!argc || argc > REQUEST_WORDS || envc > REQUEST_WORDS - 2 || argc + envc > REQUEST_WORDS - 2) return 0;
  if (!bytes || texts[bytes - 1]) return 0;
  unsigned int count = FIXED_TEXTS + argc + envc, found = 0;
  for (unsigned int at = 0; at < bytes; found++) {
    if (found == count) return 0;
    if (found == FIXED_TEXTS + argc) *words++ = 0;
    *words++ = texts + at;
    while (texts[at]) at++;
    at++;
  }
  if (found != count) return 0;
  if (!envc) *words++ = 0;
  *words = 0;
  return 1;
}
