#!/bin/bash
# Bootstraps the base system: tree.sh WORK.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
work=$1
tree=$work/tree

# The initramfs is configured before the kernel's package builds it.
early="mkdir -p \"\$1/etc/initramfs-tools/conf.d\" && cp $recipe/guest/etc/initramfs-tools/modules \"\$1/etc/initramfs-tools/\" \
	&& cp $recipe/guest/etc/initramfs-tools/conf.d/* \"\$1/etc/initramfs-tools/conf.d/\""

quietly "$work/log/tree" mmdebstrap --mode=root --variant=minbase --include="$(list guest.packages | paste -sd,)" \
	--dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
	--dpkgopt='path-exclude=/usr/share/locale/*' --dpkgopt=force-unsafe-io --dpkgopt=force-confold \
	--essential-hook="$early" \
	bookworm "$tree" "$(debian_sources)"
