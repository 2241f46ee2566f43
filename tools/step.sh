#!/bin/sh
# Runs a command under a name and says how long it took: step.sh NAME COMMAND...
name=$1
shift
started=$(date +%s)
"$@"
status=$?
seconds=$(($(date +%s) - started))
if [ "$status" -eq 0 ]; then
    echo "$name: done in $seconds s"
else
    echo "$name: failed after $seconds s (exit $status)" >&2
fi
exit "$status"
