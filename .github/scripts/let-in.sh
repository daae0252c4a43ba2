#!/usr/bin/env bash
# Runs a command against a stage whose load balancer lets only clientCidr in. It adds this machine's address to the load
# balancer's security group before, and removes it after, however the command ends. It changes nothing if the stage is
# open to everybody or to this machine.
#   let-in.sh STAGE COMMAND [ARGUMENT…]
# OWN_ADDRESS is this machine's address as others see it; without it checkip.amazonaws.com is asked.
set -euo pipefail
stage="$1"
shift
output() { # NAME
  aws cloudformation describe-stacks --stack-name "qurable-$stage" \
    --query "Stacks[0].Outputs[?OutputKey=='$1'].OutputValue" --output text
}
client_cidr="$(output ClientCidr)"
# Empty: the stage was deployed before there was this output.
case "$client_cidr" in '' | None | 0.0.0.0/0) exec "$@" ;; esac

address="${OWN_ADDRESS:-$(curl --fail --silent --show-error --max-time 10 https://checkip.amazonaws.com)}/32"
# This rule is the template's own, so this script must not remove it.
if [ "$client_cidr" = "$address" ]; then exec "$@"; fi

group="$(output LoadBalancerSecurityGroup)"
change() { # authorize|revoke
  local port
  for port in 80 443; do
    aws ec2 "$1-security-group-ingress" --group-id "$group" \
      --ip-permissions "IpProtocol=tcp,FromPort=$port,ToPort=$port,IpRanges=[{CidrIp=$address,Description=let-in}]" >/dev/null
  done
}
# A run that was killed may have left its rules.
change revoke 2>/dev/null || true
trap 'change revoke || true' EXIT
trap 'exit 130' INT TERM
change authorize
"$@"
