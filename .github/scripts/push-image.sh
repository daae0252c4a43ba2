#!/usr/bin/env bash
# Builds the API's image and pushes it under the tag that belongs to its files and processor, unless it is there
# already. Needs docker, the aws CLI, and node; the registry's stack must be there (resources/registry.yml).
#   push-image.sh [ARM64|X86_64]      as cpuArchitecture in resources/stages.yml
set -euo pipefail
cd "$(dirname "$0")/../.."
architecture="${1:-ARM64}"
tag="$(node resources/image-tag.cjs "$architecture")"
if aws ecr describe-images --repository-name qurable-api --image-ids "imageTag=$tag" >/dev/null 2>&1; then
  echo "qurable-api:$tag is in the registry"
  exit 0
fi
repository="$(aws ecr describe-repositories --repository-names qurable-api --query 'repositories[0].repositoryUri' --output text)"
case "$architecture" in ARM64) platform=linux/arm64 ;; *) platform=linux/amd64 ;; esac
# The tag of the base image may move when Debian publishes fixes. So its present digest is used: both build stages get
# the same base, and `docker image inspect` shows which one it was.
base="$(sed -n 's/^ARG BASE=//p' containers/api/Dockerfile)"
docker pull --quiet --platform "$platform" "$base" >/dev/null
digest="$(docker image inspect --format '{{index .RepoDigests 0}}' "$base")"
docker build --platform "$platform" --build-arg "BASE=$digest" \
  --label "org.opencontainers.image.base.name=$base" --label "org.opencontainers.image.base.digest=${digest#*@}" \
  --file containers/api/Dockerfile --tag "$repository:$tag" .
aws ecr get-login-password | docker login --username AWS --password-stdin "${repository%%/*}"
docker push "$repository:$tag"
