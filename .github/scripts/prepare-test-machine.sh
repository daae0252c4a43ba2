#!/usr/bin/env bash
# Installs what the tests need beside npm's packages on a runner of GitHub: prepare-test-machine.sh [more Debian
# packages]
set -euo pipefail

sudo apt-get update -qq
sudo apt-get install -y -qq redis-server postgresql-client gcc libc6-dev "$@"
# In a virtual environment, since the runner's own Python does not allow installing packages.
python3 -m venv "$RUNNER_TEMP/python"
"$RUNNER_TEMP/python/bin/pip" install --quiet 'moto[server]==5.2.1' cfn-lint==1.51.0
echo "$RUNNER_TEMP/python/bin" >> "$GITHUB_PATH"
