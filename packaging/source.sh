#!/bin/bash
# Lays out the source as the source package carries it: source.sh DIRECTORY. That is what the work tree has (also what
# is not committed yet, never what is ignored), the linked modules in vendor/, and the commit in the file COMMIT, with
# "+changes" where the work tree differs from it. The modules must be in Go's cache or within reach.
set -euo pipefail
root=$(dirname "$(dirname "$(realpath "$0")")")
into=$1
files=(cmd firewalld provision rpm selinux systemd packaging ':(exclude)packaging/acceptance' ':(exclude)packaging/diagnosis'
	go.mod go.sum LICENSE README.md CHANGELOG.md)

mkdir -p "$into"
(cd "$root" && git ls-files -z -co --exclude-standard -- "${files[@]}" |
	while IFS= read -r -d '' file; do [ ! -f "$file" ] || printf '%s\0' "$file"; done |
	tar --create --no-recursion --null --files-from=-) | tar --extract --directory "$into"
(cd "$into" && go mod vendor)
changes=$(git -C "$root" status --porcelain -- "${files[@]}")
echo "$(git -C "$root" rev-parse --short=12 HEAD)${changes:++changes}" >"$into/COMMIT"
