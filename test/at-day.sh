#!/usr/bin/env bash
# Runs a command, and everything that it starts, such as PostgreSQL, with another date and time. All of them have the
# same offset from the machine's clock, so they agree. Durations do not change, and Redis uses nothing else. It needs a
# C compiler (apt-get install gcc libc6-dev). For example, all that runs on a push, as on Black Friday in Buenos Aires:
#
#   bash test/at-day.sh 2026-11-27T12:00:00-03:00 America/Argentina/Buenos_Aires bash .ci/run
#
# Programs that don't ask the C library for the time, such as those in Go, go on with the machine's clock.
set -euo pipefail
at=$1
zone=$2
shift 2

source=$(dirname "$0")/support/clock-offset.c
# Each version of the source has its own library. It is made under another name and then moved, since several runs may
# begin at once.
library=${TMPDIR:-/tmp}/clock-offset-$(cksum <"$source" | cut -d ' ' -f 1).so
if [ ! -e "$library" ]; then
  cc -O2 -shared -fPIC -o "$library.$$" "$source"
  mv "$library.$$" "$library"
fi
offset=$(node -p 'Math.round((Date.parse(process.argv[1]) - Date.now()) / 1000)' "$at")
exec env LD_PRELOAD="$library" CLOCK_OFFSET_SECONDS="$offset" TZ="$zone" "$@"
