#!/usr/bin/env bash
# Runs a command with another clock, for it and for everything that it starts, PostgreSQL among them. All have one offset
# from the machine's clock, so that they agree; durations are the machine's own, and Redis knows nothing else. Needs libfaketime
# (apt-get install faketime). For example, everything that is run on a push, on Black Friday in Buenos Aires:
#
#   bash test/at-day.sh 2026-11-27T12:00:00-03:00 America/Argentina/Buenos_Aires bash .ci/run
#
# PostgreSQL's own timers go wrong by it now and then: on a day in the past a time-out may strike too early, on one to come a
# deadlock may not be found. Run again by itself what fails of that.
# Programs that don't ask the C library for the time, such as those in Go, go on with the machine's clock.
set -euo pipefail
at=$1
zone=$2
shift 2

library=$(faketime -m -f +0 sh -c 'echo "$LD_PRELOAD"')
offset=$(node -p 'const seconds = Math.round((Date.parse(process.argv[1]) - Date.now()) / 1000); (seconds < 0 ? "" : "+") + seconds' "$at")
exec env LD_PRELOAD="$library" FAKETIME="$offset" FAKETIME_DONT_FAKE_MONOTONIC=1 NO_FAKE_STAT=1 TZ="$zone" "$@"
