#!/bin/bash
# Prints the directory of the acceptance machine's image, building it first if this recipe (image/) has not been built yet: image.sh.
# Needs root and Debian 12. Images lie outside the repository, by the hash of their recipe; older ones are left alone.
set -euo pipefail
here=$(dirname "$(realpath "$0")")
cache=${WSPROVISION_CACHE:-/var/cache/wsprovision}

# recipe_hash covers names, modes and contents of everything under image/.
recipe_hash() {
	(cd "$here/image" && find . -type f -printf '%p %m\n' | LC_ALL=C sort && find . -type f | LC_ALL=C sort | xargs cat) |
		sha256sum | cut -c1-16
}

# install_missing brings the host's packages, touching apt only where one is missing.
install_missing() {
	local missing=()
	for package in $(sed -E 's/[[:space:]]*#.*//; /^$/d' "$here/image/host.packages"); do
		dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed || missing+=("$package")
	done
	command -v npm >/dev/null || missing+=(npm)
	[ ${#missing[@]} -eq 0 ] && return
	apt-get update -qq >&2
	DEBIAN_FRONTEND=noninteractive apt-get install -qq --no-install-recommends -y "${missing[@]}" >&2
}

image=$cache/$(recipe_hash)
if [ -d "$image" ]; then # it was moved there whole; another recipe's build need not be waited for
	echo "$image"
	exit
fi
mkdir -p "$cache"
exec 9>"$cache/lock"
flock 9
if [ ! -d "$image" ]; then
	if [ "$(id -u)" -ne 0 ]; then
		echo "image.sh: only root can build the acceptance machine" >&2
		exit 1
	fi
	install_missing
	rm -rf "$cache"/.build.* # what a build that failed left; the lock says that none is at work
	work=$(mktemp -d "$cache/.build.XXXXXX")
	echo "building the acceptance machine in $image (once; a few minutes)" >&2
	"$here/image/build.sh" "$work" 9>&-
	chmod 755 "$work"
	mv "$work" "$image"
fi
echo "$image"
