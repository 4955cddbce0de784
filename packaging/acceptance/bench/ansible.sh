#!/bin/bash
# Prints a folder with Debian's packages of ansible-core and what it needs beyond the machine's own, downloading them first
# if they are not there yet. They lie beside the machine's images.
set -euo pipefail
here=$(dirname "$(realpath "$0")")
. "$here/../image/lib.sh"
packages=(ansible-core python3-bcrypt python3-cffi-backend python3-cryptography python3-distutils python3-dnspython python3-httplib2
	python3-jinja2 python3-lib2to3 python3-markupsafe python3-netaddr python3-packaging python3-pyparsing python3-resolvelib python3-yaml)
folder=${WSPROVISION_CACHE:-/var/cache/wsprovision}/ansible
if [ ! -d "$folder" ]; then
	work=$(mktemp -d "${folder%/*}/.ansible.XXXXXX")
	trap 'rm -rf "$work"' EXIT
	mkdir "$work/log" "$work/debs"
	download "$work" "$work/debs" "${packages[@]}"
	mv "$work/debs" "$folder"
fi
echo "$folder"
