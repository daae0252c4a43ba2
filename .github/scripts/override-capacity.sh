#!/usr/bin/env bash
# For a surge that the calendar does not have: more tasks from now on until a given time. Later calls of `scale` keep
# them.
#   override-capacity.sh STAGE MIN MAX UNTIL     UNTIL as 2026-11-28T22:00, on the clocks of eventTimeZone
#   override-capacity.sh STAGE end               ends it before its time
set -euo pipefail
answer="$(mktemp)" payload="$(mktemp)"
trap 'rm -f "$answer" "$payload"' EXIT
case "${2:-}" in
  end) echo '{"override":null}' ;;
  *) echo "{\"override\":{\"min\":$2,\"max\":$3,\"until\":\"$4\"}}" ;;
esac > "$payload"
error="$(aws lambda invoke --function-name "qurable-$1-scale" --payload "fileb://$payload" \
  --query FunctionError --output text "$answer")"
cat "$answer"
echo
[ "$error" = None ]
