#!/bin/sh
# One character of the fault campaign's cast. It signs the roll before anything else, so that what was started is known
# from the started ones themselves: "<marker> <pid> began", and "ended <code>" where it ends by itself.
#   actor.sh <role> [number]
sign() { echo "$COPPICE_TREE $$ $*" >>"$ROLL"; }
finish() { sign "ended $1"; exit "$1"; }
sign began
case "$1" in
steady) echo up; exec sleep 100000 ;;
deaf) trap '' TERM; echo up; while :; do sleep 5; done ;;
family) for _ in 1 2 3 4 5 6; do sleep 100000 & done; echo up; wait ;;
jobs) set -m; sleep 100000 & sh -c 'sleep 100000; :' & echo up; wait ;;
churning) echo up; while :; do sh -c 'sleep 0.2; :'; done ;;
# Leaves its group, session and environment, and loses its parent.
escapee) (setsid env -i /bin/sh -c 'sleep 100000 & exec sleep 100000' &); echo up; exec sleep 100000 ;;
held) echo up; while read -r _; do :; done; finish 9 ;;
late) sleep 0.4; echo up; exec sleep 100000 ;;
mute) exec sleep 100000 ;;
crasher) echo up; sleep "$2"; finish 3 ;;
leaver) echo up; sleep "$2"; finish 0 ;;
aborter) echo up; sleep "$2"; sign "ended SIGABRT"; kill -ABRT $$ ;;
work) sleep "$2"; echo "done"; finish 0 ;;
answer) i=0; while [ "$i" -lt 20 ]; do i=$((i + 1)); echo "line $i"; sleep 0.02; done; finish "$2" ;;
*) echo "no role $1" >&2; exit 64 ;;
esac
