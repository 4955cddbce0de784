#!/bin/bash
# Installs the backend with the npm packages that its lock file names: backend.sh WORK.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
work=$1

cp -r "$recipe/backend" "$work/"
quietly "$work/log/backend" npm --prefix "$work/backend" ci --omit=dev --no-audit --no-fund
