#!/bin/bash
# Brings what building and testing on Debian 12 needs beside Go, asking apt only where something is missing. Needs root for
# that alone. What the acceptance machine needs, acceptance/image.sh brings.
set -euo pipefail
needed=(
	bash-completion # completions are driven in real shells
	binutils # readelf: is the agent static?
	ca-certificates
	chromium-headless-shell # one of the WebSocket clients on the acceptance machine
	cpio
	createrepo-c # make repo
	fish
	gcc # the race detector is cgo's
	git
	gnupg # keys of the tests' own
	libc6-dev
	make
	mandoc # judges the manual pages
	nginx # the real one for unit tests, never started as a service
	puma # with ruby-actioncable: the server of the recipe for Action Cable
	python3-aiohttp # with python3-socketio: the server of the recipe for socket.io
	python3-jsonschema # judges what --output json prints
	python3-jupyter-server # the server of the recipe for Jupyter
	python3-socketio
	rpm # rpmbuild, rpm2cpio
	rpmlint
	ruby-actioncable
	websockify # the server of the recipe for noVNC
	xz-utils
	zsh
)

# install_quietly starts no service: a package that brings one asks this policy first (Debian's invoke-rc.d(8)).
install_quietly() {
	local policy=/usr/sbin/policy-rc.d
	if [ ! -e $policy ]; then
		trap 'rm -f /usr/sbin/policy-rc.d' EXIT
		printf '#!/bin/sh\nexit 101\n' >$policy
		chmod 755 $policy
	fi
	DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends install "$@" >/dev/null
}

missing=()
for package in "${needed[@]}"; do
	dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed || missing+=("$package")
done
if ((${#missing[@]})); then
	echo "host.sh: installing ${missing[*]}" >&2
	apt-get -qq update
	install_quietly "${missing[@]}"
fi
if ! command -v go >/dev/null; then
	echo "host.sh: Go is missing: install the version that go.mod names (Debian 12's own is too old)" >&2
	exit 1
fi
