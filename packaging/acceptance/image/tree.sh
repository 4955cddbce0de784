#!/bin/bash
# Bootstraps the base system and downloads what becomes RPMs: tree.sh WORK. The host's own Debian sources are used, so that a
# mirror configured there serves here too.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
work=$1
tree=$work/tree

# debian_sources prints the host's file of Debian's own repositories, passing over what else it may be configured for.
debian_sources() {
	local file
	for file in /etc/apt/sources.list.d/debian.sources /etc/apt/sources.list; do
		if [ -s "$file" ]; then
			echo "$file"
			return
		fi
	done
	echo "no Debian sources in /etc/apt/sources.list or /etc/apt/sources.list.d/debian.sources" >&2
	return 1
}

download="cd $work/debian && APT_CONFIG=\$MMDEBSTRAP_APT_CONFIG apt-get -q -o APT::Sandbox::User=root download $(list standin.packages | xargs)"
# The initramfs is configured before the kernel's package builds it.
early="mkdir -p \"\$1/etc/initramfs-tools/conf.d\" && cp $recipe/guest/etc/initramfs-tools/modules \"\$1/etc/initramfs-tools/\" \
	&& cp $recipe/guest/etc/initramfs-tools/conf.d/* \"\$1/etc/initramfs-tools/conf.d/\""

quietly "$work/log/tree" mmdebstrap --mode=root --variant=minbase --include="$(list guest.packages | paste -sd,)" \
	--dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
	--dpkgopt='path-exclude=/usr/share/locale/*' --dpkgopt=force-unsafe-io --dpkgopt=force-confold \
	--essential-hook="$early" --customize-hook="$download" \
	bookworm "$tree" "$(debian_sources)"

for deb in "$work"/debian/*.deb; do
	dpkg-deb -x "$deb" "$work/debian/files"
done
