#!/usr/bin/env bash
# Runs a command with another clock, for it and for everything that it starts, PostgreSQL among them. All have one offset
# from the machine's clock, so that they agree; durations are the machine's own, and Redis knows nothing else. Needs a C
# compiler (apt-get install gcc libc6-dev). For example, everything that is run on a push, on Black Friday in Buenos Aires:
#
#   bash test/at-day.sh 2026-11-27T12:00:00-03:00 America/Argentina/Buenos_Aires bash .ci/run
#
# Programs that don't ask the C library for the time, such as those in Go, go on with the machine's clock.
set -euo pipefail
at=$1
zone=$2
shift 2

source=$(dirname "$0")/support/clock-offset.c
# One library a version of its source, made beside its place and moved there: runs may begin at the same time.
library=${TMPDIR:-/tmp}/clock-offset-$(cksum <"$source" | cut -d ' ' -f 1).so
if [ ! -e "$library" ]; then
  cc -O2 -shared -fPIC -o "$library.$$" "$source"
  mv "$library.$$" "$library"
fi
offset=$(node -p 'Math.round((Date.parse(process.argv[1]) - Date.now()) / 1000)' "$at")
exec env LD_PRELOAD="$library" CLOCK_OFFSET_SECONDS="$offset" TZ="$zone" "$@"
