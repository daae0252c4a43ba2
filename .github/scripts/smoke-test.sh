#!/usr/bin/env bash
# Asks a stage whether it lives: that it answers, that its database and schema are there, that it serves its description,
# and that it lets nobody in without a key. Waits up to two minutes for a new name or a rolling task.
#   smoke-test.sh STAGE        or        smoke-test.sh STAGE ADDRESS
set -euo pipefail
address="${2:-$(aws cloudformation describe-stacks --stack-name "qurable-$1" \
  --query "Stacks[0].Outputs[?OutputKey=='Address'].OutputValue" --output text)}"

expect() { # STATUS PATH
  local status=none
  for _ in $(seq "${TRIES:-24}"); do
    status="$(curl --silent --output /dev/null --max-time 5 --write-out '%{http_code}' "$address$2" || true)"
    [ "$status" = "$1" ] && return 0
    sleep "${PAUSE:-5}"
  done
  echo "$address$2 answers $status, not $1" >&2
  return 1
}

expect 200 /health
expect 200 /ready
expect 200 /openapi.json
expect 401 /v1/books
echo "$address lives"
