#!/usr/bin/env bash
# Prints as Markdown what a deployment of these files would change in a stage. It changes nothing: it makes a change
# set, reads it and deletes it. The parameters are those of the live deployment (the stack's output GivenParameters).
#   preview.sh STAGE
set -euo pipefail
cd "$(dirname "$0")/../.."
stage="$1" stack="qurable-$1"
work="$(mktemp -d)"
name="" bucket="" key=""
clean() {
  # Either may be missing, if the script stopped before making it.
  [ -z "$name" ] || aws cloudformation delete-change-set --stack-name "$stack" --change-set-name "$name" || true
  [ -z "$key" ] || aws s3api delete-object --bucket "$bucket" --key "$key" >/dev/null || true
  rm -rf "$work"
}
trap clean EXIT

if ! aws cloudformation describe-stacks --stack-name "$stack" > "$work/stack.json" 2> "$work/error"; then
  grep -q 'does not exist' "$work/error" || { cat "$work/error" >&2; exit 1; }
  printf '## %s\n\nNothing of it is deployed: all of it would be new.\n' "$stage"
  exit 0
fi
of_stack() { node .github/scripts/read-stack.mjs "$1" < "$work/stack.json"; }
case "$(of_stack status)" in
  *_IN_PROGRESS) aws cloudformation wait stack-update-complete --stack-name "$stack" || true ;;
esac

of_stack parameters > "$work/parameters"
mapfile -t parameters < "$work/parameters"
npx sls package --stage "$stage" "${parameters[@]}" >&2

# The template is too large for the call itself, so CloudFormation fetches it from the deployment bucket.
bucket="$(of_stack bucket)"
run="preview-${GITHUB_RUN_ID:-by-hand}-$(date +%s)-$RANDOM"
object="serverless/qurable/$stage/preview/$run.json"
aws s3api put-object --bucket "$bucket" --key "$object" --body .serverless/cloudformation-template-update-stack.json >/dev/null
key="$object"
region="$(of_stack region)"
aws cloudformation create-change-set --stack-name "$stack" --change-set-name "$run" --change-set-type UPDATE \
  --capabilities CAPABILITY_IAM CAPABILITY_NAMED_IAM --template-url "https://$bucket.s3.$region.amazonaws.com/$key" >/dev/null
name="$run"
# A failed change set is read too, because it says why. "Nothing to change" is such a failure.
aws cloudformation wait change-set-create-complete --stack-name "$stack" --change-set-name "$name" 2>/dev/null || true
aws cloudformation describe-change-set --stack-name "$stack" --change-set-name "$name" > "$work/changes.json"
node .github/scripts/tell-changes.mjs "$stage" < "$work/changes.json"
