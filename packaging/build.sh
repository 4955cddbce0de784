#!/bin/bash
# Builds the agent as it is shipped: build.sh VERSION [FILE], FILE being dist/wsprovision unless given. It is static,
# and has the same bytes wherever it is built: in the source that the packages carry, which has its modules and its
# commit with it. A checkout is laid out as that first.
set -euo pipefail
version=$1
file=$(realpath -m "${2:-dist/wsprovision}")
cd "$(dirname "$(realpath "$0")")/.."
if [ ! -e COMMIT ]; then
	work=$(mktemp -d)
	trap 'chmod -R u+w "$work"; rm -rf "$work"' EXIT
	packaging/source.sh "$work"
	"$work/packaging/build.sh" "$version" "$file"
	exit
fi
unset GOEXPERIMENT
export CGO_ENABLED=0 GOOS=linux GOARCH=amd64 GOAMD64=v1 GOTOOLCHAIN=local GOPROXY=off GOFLAGS=-mod=vendor
# An eighth smaller, and as fast where it was measured (1 000 sites): no HTTP/2, which the agent's own downloads do without,
# functions at 16 bytes and not at 32, and no inlining but in the runtime, in cryptography and in inner loops (bytes, slices).
small=()
for p in wsprovision/... github.com/... go.yaml.in/... golang.org/... net/... crypto/tls crypto/x509 archive/... compress/... \
	context embed encoding/... errors flag fmt html/... log/... math/big mime/... os/... path/... reflect regexp/... text/... \
	time vendor/golang.org/x/net/... vendor/golang.org/x/text/...; do
	small+=("-gcflags=$p=-l")
done
go build -tags nethttpomithttp2 "${small[@]}" -trimpath -buildvcs=false -ldflags "-s -w -buildid= -funcalign=16 -X main.version=$version -X main.commit=$(cat COMMIT)" \
	-o "$file" ./cmd/wsprovision
