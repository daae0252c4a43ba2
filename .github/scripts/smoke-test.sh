#!/usr/bin/env bash
# Asks a stage whether it lives: that it answers, that its database and schema are there, that it lets nobody in without a
# key, and that a code can be assigned, locked, redeemed and given back, in a book of its own that it closes again. Waits up
# to two minutes for a new name or a rolling task. A stage that lets only clientCidr in lets this machine in meanwhile.
#   smoke-test.sh STAGE [ADDRESS]      without one: SMOKE_TEST_ADDRESS, else the one of the stack
# The key is QURABLE_ADMIN_KEY, else the stage's own (AdminKeySecretArn).
set -euo pipefail
output() {
  aws cloudformation describe-stacks --stack-name "qurable-$1" \
    --query "Stacks[0].Outputs[?OutputKey=='$2'].OutputValue" --output text
}
address="${2:-${SMOKE_TEST_ADDRESS:-}}"
enter=()
if [ -z "$address" ]; then
  address="$(output "$1" Address)"
  enter=("$(dirname "$0")/let-in.sh" "$1")
fi
if [ -z "${QURABLE_ADMIN_KEY:-}" ]; then
  QURABLE_ADMIN_KEY="$(aws secretsmanager get-secret-value --secret-id "$(output "$1" AdminKeySecretArn)" \
    --query SecretString --output text)"
fi
export QURABLE_ADMIN_KEY
${enter[@]+"${enter[@]}"} node "$(dirname "$0")/smoke-test.mjs" "$address"
