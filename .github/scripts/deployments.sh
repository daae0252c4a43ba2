#!/usr/bin/env bash
# Which deployment of a stage is live, which have passed their smoke test, and which one to go back to.
#   deployments.sh live STAGE             the timestamp of what runs; nothing where nothing runs
#   deployments.sh passed STAGE           notes that what runs has passed its smoke test
#   deployments.sh before STAGE           the newest that has passed and is older than what runs; status 1 without one
#   deployments.sh strike STAGE TIMESTAMP forgets the newer ones that have passed, since one of them was bad
#
# The stack's output Deployment says what is live. The deployment bucket can't tell: a failed deployment leaves its
# files there, and a rollback leaves none. What has passed is kept in a parameter of Systems Manager, which is written
# only after the smoke test.
set -euo pipefail
command="$1" stage="$2"
parameter="/qurable/$stage/passed-deployments"

# Asked for once: a NAME and its value a line; nothing where there is no such stack.
outputs=''
[ "$command" = strike ] || outputs="$(aws cloudformation describe-stacks --stack-name "qurable-$stage" \
  --query 'Stacks[0].Outputs[].[OutputKey,OutputValue]' --output text 2>/dev/null || true)"

output() { # NAME
  awk -F '\t' -v name="$1" '$1 == name { print $2 }' <<<"$outputs"
}

live() { output Deployment; }

passed() { # one a line, the oldest first
  local value
  value="$(aws ssm get-parameter --name "$parameter" --query Parameter.Value --output text 2>/dev/null || true)"
  tr ' ' '\n' <<<"$value" | grep -E '^[0-9]{13}$' | sort -n || true
}

# Keeps as many as the deployment bucket does (serverless.yml, maxPreviousDeploymentArtifacts).
remember() { # the timestamps on standard input
  local list
  list="$(sort -nu | tail -n 10 | tr '\n' ' ')"
  aws ssm put-parameter --name "$parameter" --type String --overwrite --value "${list:-none}" >/dev/null
}

is_kept() { # TIMESTAMP
  local bucket found
  bucket="$(output ServerlessDeploymentBucketName)"
  found="$(aws s3api list-objects-v2 --bucket "$bucket" --prefix "serverless/qurable/$stage/$1-" --max-items 1 \
    --query 'Contents[0].Key' --output text)"
  [ -n "$found" ] && [ "$found" != None ]
}

case "$command" in
  live) live ;;
  passed)
    now="$(live)"
    [ -n "$now" ] || { echo "Nothing of $stage is deployed." >&2; exit 1; }
    { passed; echo "$now"; } | remember
    ;;
  before)
    now="$(live)"
    [ -n "$now" ] || { echo "Nothing of $stage is deployed." >&2; exit 1; }
    for timestamp in $(passed | sort -rn); do
      if [ "$timestamp" -lt "$now" ] && is_kept "$timestamp"; then echo "$timestamp"; exit 0; fi
    done
    echo "No deployment of $stage before $now has passed its smoke test and is still kept: there is nothing to go back to." >&2
    exit 1
    ;;
  strike)
    { passed | awk -v last="$3" '$1 <= last'; } | remember
    ;;
  *) echo "deployments.sh: live, passed, before or strike, not $command" >&2; exit 1 ;;
esac
