#!/bin/bash
# Builds the acceptance machine in a directory: build.sh DIRECTORY. Needs root, and the packages of host.packages.
# What remains there: disk.qcow2 (with the snapshot "booted") over disk.raw, vmlinuz, initrd, accel, keys/ and packages/.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

work=$(realpath "$1")
tree=$work/tree
mkdir -p "$work"/{log,keys,debian,packages}

# gpg leaves an agent running for every key ring it was told of.
stop_agents() {
	for ring in "$work"/keys/*/; do
		gpgconf --homedir "$ring" --kill gpg-agent || :
	done
}
trap stop_agents EXIT

step "keys of the repositories and of ssh"
"$recipe/keys.sh" "$work"
step "base system from Debian"
"$recipe/tree.sh" "$work"
step "packages for yum"
"$recipe/packages.sh" "$work"
step "package mirror"
"$recipe/mirror.sh" "$work"
step "what makes it CentOS 7, and the backend"
"$recipe/guest.sh" "$work"
step "disk with SELinux labels"
"$recipe/disk.sh" "$work"
step "first boot and its snapshot"
"$recipe/snapshot.sh" "$work"
rm -rf "$tree" "$work/debian"
step "done"
