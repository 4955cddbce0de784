#!/bin/bash
# Lays out the package mirror: mirror.sh WORK.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
work=$1
mirror=$work/mirror

for repository in extras epel older stranger unsigned; do
	mkdir -p "$mirror/$repository"
	cp "$work/packages/$repository"/*.rpm "$mirror/$repository/"
	quietly "$work/log/mirror" createrepo_c --general-compress-type=gz "$mirror/$repository"
done
