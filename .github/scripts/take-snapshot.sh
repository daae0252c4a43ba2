#!/usr/bin/env bash
# Takes snapshots of a stage's database and cache before a deployment, and waits until the database's can be restored.
# It fails if the database's snapshot fails. The cache may be lost, so a failure of its snapshot is only a warning.
#   take-snapshot.sh STAGE RUN
set -euo pipefail
answer="$(mktemp)" payload="$(mktemp)"
trap 'rm -f "$answer" "$payload"' EXIT
echo "{\"kind\":\"deploy\",\"run\":\"$2\"}" > "$payload"
error="$(aws lambda invoke --function-name "qurable-$1-snapshot" --payload "fileb://$payload" \
  --query FunctionError --output text "$answer")"
cat "$answer"
echo
[ "$error" = None ]
name="$(node -p 'JSON.parse(require("fs").readFileSync(process.argv[1], "utf8")).database.name' "$answer")"
aws rds wait db-snapshot-available --db-snapshot-identifier "$name"
echo "$name can be restored"
