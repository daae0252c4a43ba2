#!/usr/bin/env bash
# Prints the timestamp of a stage's last deployment, or of the one so many before it; nothing where there is none.
#   last-deployment.sh STAGE [1 for the last, 2 for the one before, …]
set -euo pipefail
stage="$1"
if ! aws cloudformation describe-stacks --stack-name "qurable-$stage" >/dev/null 2>&1; then exit 0; fi
npx sls deploy list --stage "$stage" 2>&1 | sed -n 's/.*Timestamp: \([0-9]*\).*/\1/p' | sort -n | tail -n "${2:-1}" | head -n 1
