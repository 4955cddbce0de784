#!/bin/bash
# Downloads the Debian packages whose files become RPMs: download.sh WORK. apt's state is a copy of its own: the base system is
# bootstrapped at the same time, and the host's lists may be old.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
work=$1
apt=$work/debian/apt

mkdir -p "$apt"/{state/lists/partial,cache/archives/partial}
options=(-q -o "Dir::State=$apt/state" -o Dir::State::status=/dev/null -o "Dir::Cache=$apt/cache" -o Dir::Etc::SourceParts=/dev/null
	-o "Dir::Etc::SourceList=$(debian_sources)" -o APT::Sandbox::User=root)
quietly "$work/log/download" apt-get "${options[@]}" update
cd "$work/debian"
quietly "$work/log/download" apt-get "${options[@]}" download $(list standin.packages)
for deb in *.deb; do
	dpkg-deb -x "$deb" files
done
