#!/usr/bin/env bash
# Takes a stage back to a deployment that has passed its smoke test, and looks whether it lives. The schema stays as it is: an
# older version runs on a newer one. Capacity stays as it is: only `scale` sets it.
#   roll-back.sh STAGE [TIMESTAMP]      without a timestamp: the newest that has passed before what runs now
# PARAMETERS holds what else `sls` is told. SMOKE_TEST_ADDRESS is where the API is reached, where that is not the stack's own address.
set -euo pipefail
cd "$(dirname "$0")/../.."
stage="$1"
timestamp="${2:-}"
[ -n "$timestamp" ] || timestamp="$(.github/scripts/deployments.sh before "$stage")"
# Before anything else: whatever becomes of this, nobody goes back to what is left now because it was bad.
.github/scripts/deployments.sh strike "$stage" "$timestamp"
# Unquoted on purpose: these are several arguments.
npx sls rollback --stage "$stage" ${PARAMETERS:-} --timestamp "$timestamp"
npm run --silent smoke -- --stage "$stage" ${SMOKE_TEST_ADDRESS:+--url "$SMOKE_TEST_ADDRESS"}
.github/scripts/deployments.sh passed "$stage"
