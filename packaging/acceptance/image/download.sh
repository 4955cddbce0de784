#!/bin/bash
# Downloads the Debian packages whose files become RPMs: download.sh WORK.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
work=$1

download "$work" "$work/debian" $(list standin.packages)
for deb in "$work"/debian/*.deb; do
	dpkg-deb -x "$deb" "$work/debian/files"
done
