#!/bin/sh
# The guardian where the native one cannot run (other systems and processors, mounts without execution).
#
#   sh guardian.sh <workspace id>
#
# Descriptor 3 is a socket to the supervisor, who sends lines: `plan`, the plan as shell text with a blank before each
# line, `end`, which is answered by `planned`; and `dismissed`. The plan sets `losses`, `delays` (seconds), `log`,
# `record`, `before` and `after`, and defines `successor`, which becomes it, and `missing`, which prints which of its
# words names a file that is not there. All else is as with the native one (platform/linux/keeperGuardian.h), but that a
# successor stands in the session of its guardian.
cd /
plan=
text=
speechless=${COPPICE_SPEECHLESS_SECONDS:-30}
unset COPPICE_SPEECHLESS_SECONDS
# Handlers, not SIG_IGN: an ignored signal would stay ignored in the successor.
for signal in HUP INT QUIT USR1 USR2 ALRM PIPE; do trap : "$signal"; done

while IFS= read -r line; do
  case $line in
    ' '*)
      text="$text${line# }
"
      ;;
    plan) text= ;;
    end)
      plan=$text
      text=
      echo planned >&3 2>/dev/null
      ;;
    dismissed) exit 0 ;;
  esac
done <&3
exec 3<&-
[ -n "$plan" ] || exit 0
eval "$plan"
text=
plan=

seen=0
status=
for delay in $delays; do
  sleep "$delay"
  seen=$((seen + 1))
  fifo=$record.charge
  rm -f "$fifo"
  mkfifo -m 600 "$fifo" 2>/dev/null || break
  # A redirection that fails ends the successor before its start, and in some shells with the code 2.
  (umask 077 && : >>"$log") 2>/dev/null || log=/dev/null
  (successor "$seen") 3>"$fifo" </dev/null >>"$log" 2>&1 &
  child=$!
  # Ends one that hangs.
  (
    pause=
    trap '[ -z "$pause" ] || kill "$pause"; exit' TERM
    sleep "$speechless" &
    pause=$!
    wait "$pause" && kill -KILL "$child"
  ) </dev/null >/dev/null 2>&1 &
  limit=$!
  word=
  while IFS= read -r word; do
    [ "$word" = + ] || break
    kill "$limit" 2>/dev/null
    word=
  done <"$fifo"
  kill "$limit" 2>/dev/null
  rm -f "$fifo"
  [ -z "$word" ] || exit 0
  wait "$child"
  status=$?
  case $status in 0 | 2 | 130 | 143) exit 0 ;; esac
done

[ -d "${record%/*}" ] || exit 1
code=null
signal=null
if [ -n "$status" ] && [ "$status" -gt 128 ] && name=$(kill -l $((status - 128)) 2>/dev/null) && [ -n "$name" ]; then
  signal="\"SIG$name\""
elif [ -n "$status" ]; then
  code=$status
fi
umask 077
printf '%s"losses":%s,"at":%s000,"code":%s,"signal":%s,"missing":%s%s\n' "$before" "$((losses + seen + 1))" \
  "$(date +%s)" "$code" "$signal" "$(missing)" "$after" 2>/dev/null >"$record.tmp" && mv -f "$record.tmp" "$record"
exit 1
