#!/usr/bin/env bash
# Builds the API's image without a Docker engine, and unpacks it where a test can run it:
#   test/package/build-image.sh DIRECTORY
# DIRECTORY/rootfs is then what a container would see, and DIRECTORY/config.json how it would be started.
#
# It needs root, buildah and debootstrap, and Debian's and npm's packages by the ordinary ways. In the place of
# node:24-bookworm-slim, which takes a container registry to fetch, stands Debian itself with the Node that this project
# pins; the Dockerfile is the one that production is built from.
set -euo pipefail
project="$(cd "$(dirname "$0")/../.." && pwd)"
directory="$(mkdir -p "$1" && cd "$1" && pwd)"
node="$project/node_modules/node/bin/node"
base="localhost/qurable-test-base:$("$node" --version)"
image=localhost/qurable-api:test

make_base() {
  local root
  root="$(mktemp -d)"
  debootstrap --variant=minbase --include=ca-certificates,libstdc++6 bookworm "$root" >&2
  rm -rf "$root"/var/cache/apt/archives/*.deb "$root"/var/lib/apt/lists/* "$root"/usr/share/{doc,man,locale,info}/*
  install -m 755 "$node" "$root/usr/local/bin/node"
  # npm, as in the real base; only the first stage uses it.
  mkdir -p "$root/usr/local/lib/node_modules"
  cp -r "$(npm root --global 2>/dev/null)/npm" "$root/usr/local/lib/node_modules/npm"
  ln -s ../lib/node_modules/npm/bin/npm-cli.js "$root/usr/local/bin/npm"
  # Where this machine's npm trusts authorities of its own, so must the one in the base.
  local authorities
  authorities="$(npm config get cafile 2>/dev/null)"
  if [ -f "$authorities" ]; then
    mkdir -p "$root/usr/local/etc"
    cp "$authorities" "$root/usr/local/etc/authorities.pem"
    echo 'cafile=/usr/local/etc/authorities.pem' >"$root/usr/local/etc/npmrc"
  fi
  local container
  container="$(buildah from scratch)"
  buildah copy --quiet "$container" "$root" / >&2
  buildah config --env PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin --cmd node "$container"
  buildah commit --quiet --rm "$container" "$base" >&2
  rm -rf "$root"
}

if ! buildah inspect --type image "$base" >/dev/null 2>&1; then make_base; fi

started=$SECONDS
buildah bud --isolation chroot --format docker --build-arg "BASE=$base" --ignorefile "$project/containers/api/Dockerfile.dockerignore" \
  --file "$project/containers/api/Dockerfile" --tag "$image" "$project" >&2
echo "built in $((SECONDS - started)) s" >&2

buildah inspect --type image "$image" | "$node" -e \
  "fs.writeFileSync(process.argv[1], JSON.stringify(JSON.parse(fs.readFileSync(0, 'utf8')).Docker.config))" \
  "$directory/config.json"
container="$(buildah from "$image")"
mounted="$(buildah mount "$container")"
rm -rf "$directory/rootfs"
cp -a "$mounted" "$directory/rootfs"
buildah umount "$container" >/dev/null
buildah rm "$container" >/dev/null
