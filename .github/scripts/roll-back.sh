#!/usr/bin/env bash
# Takes a stage back to a deployment that has passed its smoke test, and checks that it works. The schema stays, since
# an older version runs on a newer schema. Capacity stays too, since only `scale` sets it.
#   roll-back.sh STAGE [TIMESTAMP]      without a timestamp: the newest that has passed before what runs now
# PARAMETERS are further arguments for `sls`. SMOKE_TEST_ADDRESS is the API's address, if it is not the one that the
# stack says.
set -euo pipefail
cd "$(dirname "$0")/../.."
stage="$1"
timestamp="${2:-}"
[ -n "$timestamp" ] || timestamp="$(.github/scripts/deployments.sh before "$stage")"
# First of all, strike the bad version from the list, so that nobody goes back to it, whether this succeeds or not.
.github/scripts/deployments.sh strike "$stage" "$timestamp"
# Unquoted on purpose: these are several arguments.
npx sls rollback --stage "$stage" ${PARAMETERS:-} --timestamp "$timestamp"
npm run --silent smoke -- --stage "$stage" ${SMOKE_TEST_ADDRESS:+--url "$SMOKE_TEST_ADDRESS"}
.github/scripts/deployments.sh passed "$stage"
