#!/usr/bin/env bash
# Refuses to deploy an older commit over a newer one, as a late approval would. Needs the whole history (fetch-depth:
# 0).
#   refuse-older.sh STAGE COMMIT
set -euo pipefail
live="$(aws cloudformation describe-stacks --stack-name "qurable-$1" \
  --query "Stacks[0].Outputs[?OutputKey=='Commit'].OutputValue" --output text 2>/dev/null || true)"
# There is nothing to compare with if nothing is deployed, if it was deployed by hand, or if its commit was rebased
# away.
git cat-file -e "$live^{commit}" 2>/dev/null || exit 0
[ "$live" = "$2" ] && exit 0
if git merge-base --is-ancestor "$2" "$live"; then
  echo "$1 runs $live, which is newer than $2: to go back on purpose, run the workflow rollback." >&2
  exit 1
fi
