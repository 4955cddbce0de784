#!/bin/bash
# Builds the agent as it is shipped: build.sh VERSION [FILE], FILE being dist/wsprovision unless given.
# Static, and the same bytes wherever it is built. Modules come from where GOFLAGS says (the RPM's build: vendor/).
set -euo pipefail
cd "$(dirname "$(realpath "$0")")/.."
export CGO_ENABLED=0 GOOS=linux GOARCH=amd64 GOAMD64=v1 GOTOOLCHAIN=local
go build -trimpath -buildvcs=false -ldflags "-s -w -buildid= -X main.version=$1" -o "${2:-dist/wsprovision}" ./cmd/wsprovision
