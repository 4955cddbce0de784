#!/bin/bash
# Collects the licence texts of everything that is linked into the agent: licenses.sh VENDOR INTO.
# Run where the main module is. VENDOR is what "go mod vendor" made, which keeps these texts. A module without one is an error:
# its terms would be unknown, and some ask for the text to go along.
set -euo pipefail
vendor=$1
into=$2

# copy FROM NAME: every licence file that lies right in FROM.
copy() {
	local found=0 file
	while IFS= read -r file; do
		install -D -p -m 0644 "$1/$file" "$into/$2/$file"
		found=1
	done < <(find "$1" -maxdepth 1 -type f -printf '%f\n' | grep -iE '^(licen[cs]e|copying|notice|patents)' | LC_ALL=C sort)
	if ((!found)); then
		echo "licenses.sh: $2 has no licence text in $1" >&2
		return 1
	fi
}

copy "$(go env GOROOT)" go # the standard library and the runtime
modules=$(go list -mod=vendor -deps -f '{{with .Module}}{{if not .Main}}{{.Path}}{{end}}{{end}}' ./cmd/wsprovision | LC_ALL=C sort -u)
for module in $modules; do
	copy "$vendor/$module" "$module"
done
