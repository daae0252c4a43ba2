#!/usr/bin/env bash
# Takes snapshots of a stage's database and cache before a deployment. Fails where the function does.
#   take-snapshot.sh STAGE RUN
set -euo pipefail
answer="$(mktemp)"
error="$(aws lambda invoke --function-name "qurable-$1-snapshot" --cli-binary-format raw-in-base64-out \
  --payload "{\"kind\":\"deploy\",\"run\":\"$2\"}" --query FunctionError --output text "$answer")"
cat "$answer"
[ "$error" = None ]
