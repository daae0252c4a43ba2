#!/usr/bin/env bash
# An approval that is given late must not put an older commit over a newer one. Needs the whole history (fetch-depth: 0).
#   refuse-older.sh STAGE COMMIT
set -euo pipefail
live="$(aws cloudformation describe-stacks --stack-name "qurable-$1" \
  --query "Stacks[0].Outputs[?OutputKey=='Commit'].OutputValue" --output text 2>/dev/null || true)"
# Nothing deployed, deployed by hand, or a commit that was rebased away: nothing to compare with.
git cat-file -e "$live^{commit}" 2>/dev/null || exit 0
[ "$live" = "$2" ] && exit 0
if git merge-base --is-ancestor "$2" "$live"; then
  echo "$1 runs $live, which is newer than $2: to go back on purpose, run the workflow rollback." >&2
  exit 1
fi
