#!/usr/bin/env bash
# A surge that no calendar knew of: more tasks until a moment, at once and through every later call of `scale`.
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
