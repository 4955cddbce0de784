#!/bin/bash
# Prints the path of 1.0.0's package, which hosts upgrade from. It is built first if it has not been built yet, from its
# own commit with that commit's recipe; it lies beside the machine's images, for every clone. Needs what packaging/rpm.sh
# needs, and the repository's history.
set -euo pipefail
version=1.0.0
commit=4547a565e13cb9b5afa7d5ab3ce0d8144883cc3a
root=$(realpath "$(dirname "$0")/../..")
package=${WSPROVISION_CACHE:-/var/cache/wsprovision}/previous-${commit:0:16}/wsprovision-$version-1.el7.x86_64.rpm
if [ ! -e "$package" ]; then
	if ! git -C "$root" cat-file -e "$commit^{commit}" 2>/dev/null; then
		echo "previous.sh: this clone lacks commit ${commit:0:7}, from which $version is built:" \
			"git fetch --unshallow, or clone without --depth" >&2
		exit 1
	fi
	work=$(mktemp -d)
	trap 'rm -rf "$work"' EXIT
	# rpm.sh asks git for its files and its time: it gets a clone, which borrows the objects of this one.
	git clone -q --shared --no-checkout "$root" "$work/source"
	git -C "$work/source" checkout -q --detach "$commit"
	"$work/source/packaging/rpm.sh" "$version" >&2
	mkdir -p "${package%/*}"
	install -m 0644 "$work/source/dist/${package##*/}" "$package.$$"
	mv "$package.$$" "$package"
fi
echo "$package"
