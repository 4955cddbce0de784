#!/bin/bash
# Builds the acceptance machine in a directory: build.sh DIRECTORY. Needs root, and the packages of host.packages.
# What remains there: disk.qcow2 (with the snapshot "booted") over disk.raw, vmlinuz, initrd, accel, keys/ and packages/.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

work=$(realpath "$1")
tree=$work/tree
mkdir -p "$work"/{log,keys,debian,packages}

# A build that fails leaves nothing at work. gpg leaves an agent running for every key ring it was told of.
leave() {
	kill $(jobs -p) 2>/dev/null || :
	for ring in "$work"/keys/*/; do
		gpgconf --homedir "$ring" --kill gpg-agent || :
	done
}
trap leave EXIT

step "keys of the repositories and of ssh"
"$recipe/keys.sh" "$work"
step "base system from Debian, and beside it what yum is to bring and the backend"
{
	"$recipe/download.sh" "$work"
	"$recipe/packages.sh" "$work"
	"$recipe/mirror.sh" "$work"
	"$recipe/backend.sh" "$work"
	step "  packages, their mirror and the backend are there"
} &
beside=$!
"$recipe/tree.sh" "$work"
step "  the base system is there"
wait "$beside"
step "what makes it CentOS 7"
"$recipe/guest.sh" "$work"
step "disk with SELinux labels"
"$recipe/disk.sh" "$work"
step "first boot and its snapshot"
"$recipe/snapshot.sh" "$work"
rm -rf "$tree" "$work"/{debian,mirror,backend}
step "done"
