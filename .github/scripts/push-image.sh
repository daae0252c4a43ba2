#!/usr/bin/env bash
# Builds the API's image and pushes it under the tag that belongs to its files, unless it is there already.
# Needs docker, the aws CLI, and node; the registry's stack must be there (resources/registry.yml).
set -euo pipefail
cd "$(dirname "$0")/../.."
tag="$(node resources/image-tag.cjs)"
if aws ecr describe-images --repository-name qurable-api --image-ids "imageTag=$tag" >/dev/null 2>&1; then
  echo "qurable-api:$tag is in the registry"
  exit 0
fi
repository="$(aws ecr describe-repositories --repository-names qurable-api --query 'repositories[0].repositoryUri' --output text)"
# linux/amd64 is what resources/stages.yml runs (cpuArchitecture: X86_64).
docker build --platform "${PLATFORM:-linux/amd64}" --pull --file containers/api/Dockerfile --tag "$repository:$tag" .
aws ecr get-login-password | docker login --username AWS --password-stdin "${repository%%/*}"
docker push "$repository:$tag"
