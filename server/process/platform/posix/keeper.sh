#!/bin/sh
# The keeper where the native one cannot run (other systems and processors, mounts without execution).
#
#   sh keeper.sh <exit record> <ignore|hold>[:<signal>:<ms>] -- <program> <argv0> [argument...]
#
# It speaks the same words on descriptor 3, but is itself the leader of the tree: it shares the group with what it
# runs. So it must outlive the signals that are meant for the command, cannot outlive SIGKILL to the group, is no
# reaper of orphans, and knows a death by signal n only as the shell's 128+n. Its pact (see linux/keeperPact.h) reaches
# the group only: what has left it is for a successor to find.
record=$1
mode=${2%%:*}
pact=${2#"$mode"}
program=$4
shift 5

# Handlers, not SIG_IGN: an ignored signal would stay ignored in the command, a handled one is reset for it.
for signal in HUP INT QUIT TERM USR1 USR2 ALRM PIPE; do trap : "$signal"; done

write_record() { # <code> <signal>
  kept=
  [ ! -e "$record.pact" ] || kept=',"pact":true'
  (
    umask 077
    printf '{"pid":%s,"code":%s,"signal":%s,"at":%s000,"witness":"keeper"%s}\n' "$$" "$1" "$2" "$(date +%s)" "$kept" \
      2>/dev/null >"$record.tmp" && mv -f "$record.tmp" "$record" 2>/dev/null
  )
  rm -f "$record.pact"
}

# Waits for the end of the supervisor in the keeper's place, which waits for the command.
keep_pact() { # <signal> <ms>
  # The signal is for its group as well.
  for signal in HUP INT QUIT TERM USR1 USR2 ALRM PIPE; do trap '' "$signal"; done
  while read -r _ <&3; do :; done
  exec 3<&-
  (umask 077 && : >"$record.pact")
  kill "-$1" "-$$"
  waited=0
  while [ "$waited" -lt "$2" ]; do
    sleep 1
    waited=$((waited + 1000))
    kill -0 "$$" 2>/dev/null || exit 0
  done
  write_record null '"SIGKILL"'
  kill -KILL "-$$"
}

echo "started $$ - -" 2>/dev/null >&3

watch=
if [ -n "$pact" ]; then
  pact=${pact#:}
  keep_pact "${pact%:*}" "${pact#*:}" </dev/null >/dev/null 2>&1 &
  watch=$!
fi

if [ "$mode" = hold ]; then
  # A pipe that both ends of are open here: never written, never at its end.
  fifo=$record.stdin
  if ! mkfifo -m 600 "$fifo" 2>/dev/null; then rm -f "$fifo" && mkfifo -m 600 "$fifo" || exit 127; fi
  exec 4<>"$fifo" 5<"$fifo"
  rm -f "$fifo"
  "$program" "$@" <&5 3>&- 4>&- 5<&-
else
  "$program" "$@" 3>&-
fi
status=$?

code=$status
signal=null
said="$status -"
if [ "$status" -gt 128 ] && name=$(kill -l $((status - 128)) 2>/dev/null) && [ -n "$name" ] && [ "$name" != 0 ]; then
  code=null
  signal="\"SIG$name\""
  said="- SIG$name"
fi
write_record "$code" "$signal"
[ -z "$watch" ] || kill -KILL "$watch" 2>/dev/null
echo "exited $said" 2>/dev/null >&3
exit "$status"
