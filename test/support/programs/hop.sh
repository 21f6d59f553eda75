#!/bin/sh
# Hands itself on to a new process in a new session for ever, each living some milliseconds; ends by itself in the end.
generation=${1:-0}
[ "$generation" = 0 ] && echo $$
[ "$generation" -gt 3000 ] && exit
setsid "$0" $((generation + 1)) &
