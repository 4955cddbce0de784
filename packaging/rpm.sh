#!/bin/bash
# Builds the binary and the source package into dist: rpm.sh [--twice] [VERSION], VERSION being the spec's unless given.
# --twice builds both a second time elsewhere, and the agent alone, and compares every byte.
# Needs go, git, rpmbuild, xz; rpmlint where it is there, and under CI in any case.
set -euo pipefail
here=$(dirname "$(realpath "$0")")
root=$(dirname "$here")
twice=0
if [ "${1-}" = --twice ]; then
	twice=1
	shift
fi
dist=$root/dist
mkdir -p "$dist"
version=${1:-$(sed -n 's/^Version:[[:space:]]*//p' "$here/wsprovision.spec")}
# rpm compares versions piece by piece, and 4.11 knows no ^; a - would end the version.
if ! [[ $version =~ ^[0-9]+(\.[0-9]+)*(~[a-z0-9.]+)?$ ]]; then
	echo "rpm.sh: $version is no version: write it like 1.2.3 or 1.2.3~rc1" >&2
	exit 1
fi
work=$(mktemp -d)
trap 'chmod -R u+w "$work"; rm -rf "$work"' EXIT

# Every time in the packages is that of the last commit.
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git -C "$root" log -1 --format=%ct)}
export SOURCE_DATE_EPOCH LC_ALL=C TZ=UTC
umask 022

# archive FILE: the source, the same bytes for the same files.
archive() {
	rm -rf "$work/tree"
	"$here/source.sh" "$work/tree/wsprovision-$version"
	tar --create --directory "$work/tree" --format=gnu --sort=name --mtime="@$SOURCE_DATE_EPOCH" \
		--owner=0 --group=0 --numeric-owner --mode='u=rwX,go=rX' "wsprovision-$version" | xz -6 -T1 >"$1"
}

# build TOP: rpmbuild as EL7's would, from this host's. BuildRequires are not asked of a database that knows of no Go.
build() {
	mkdir -p "$1"/{SOURCES,SPECS,BUILD,RPMS,SRPMS}
	sed "s/^\(Version:[[:space:]]*\).*/\1$version/" "$here/wsprovision.spec" >"$1/SPECS/wsprovision.spec"
	archive "$1/SOURCES/wsprovision-$version.tar.xz"
	touch -d "@$SOURCE_DATE_EPOCH" "$1/SPECS/wsprovision.spec" "$1"/SOURCES/*
	if ! rpmbuild -ba --nodeps --target x86_64-redhat-linux \
		--define "_topdir $1" --define 'dist .el7' --define '_buildhost localhost' \
		--define '_binary_payload w6.xzdio' --define '_source_payload w2.xzdio' \
		--define 'use_source_date_epoch_as_buildtime 1' --define 'clamp_mtime_to_source_date_epoch 1' \
		--define 'source_date_epoch_from_changelog 0' \
		"$1/SPECS/wsprovision.spec" >"$work/log" 2>&1; then
		tail -50 "$work/log" >&2
		return 1
	fi
}

fail() {
	echo "rpm.sh: $*" >&2
	exit 1
}

# check RPM: what rpm 4.11.3 reads, and no more.
check() {
	local known='^rpmlib\((CompressedFileNames|ConcurrentAccess|ExplicitPackageProvide|FileDigests|HeaderLoadSortsTags|PartialHardlinkSets|PayloadFilesHavePrefix|PayloadIsBzip2|PayloadIsLzma|PayloadIsXz|ScriptletExpansion|ScriptletInterpreterArgs|TildeInVersions|VersionedDependencies)\) '
	local name=${1##*/} requires unknown compressor
	requires=$(rpm -qp --requires "$1")
	unknown=$(grep '^rpmlib(' <<<"$requires" | grep -vE "$known" || true)
	[ -z "$unknown" ] || fail "$name: rpm 4.11 does not know $unknown"
	! grep '^(' <<<"$requires" || fail "$name: a rich dependency"
	[ -z "$(rpm -qp --recommends --suggests --supplements --enhances "$1")" ] || fail "$name: a weak dependency"
	compressor=$(rpm -qp --qf '%{PAYLOADCOMPRESSOR}' "$1")
	[ "$compressor" = xz ] || fail "$name: compressed with $compressor"
	rpm -K --nosignature "$1" >/dev/null || fail "$name: its digests are wrong"
}

build "$work/one"
binary=$work/one/RPMS/x86_64/wsprovision-$version-1.el7.x86_64.rpm
source=$work/one/SRPMS/wsprovision-$version-1.el7.src.rpm
check "$binary"
check "$source"
mkdir "$work/root"
(cd "$work/root" && rpm2cpio "$binary" | cpio --quiet -id)
! readelf -l "$work/root/usr/sbin/wsprovision" | grep -q INTERP || fail "the executable is not static"
if command -v rpmlint >/dev/null; then
	rpmlint --strict -r "$here/wsprovision.rpmlintrc" "$binary" "$source" || fail "rpmlint has something to say"
elif [ -n "${CI-}" ]; then
	fail "rpmlint is not installed, and nothing may go unchecked under CI: apt-get install rpmlint, or packaging/host.sh"
else
	echo "rpm.sh: rpmlint is not installed; the packages were not checked with it" >&2
fi
if ((twice)); then
	build "$work/two"
	for package in "$binary" "$source"; do
		cmp "$package" "$work/two${package#"$work/one"}" || fail "${package##*/} differs when it is built again"
	done
	"$here/build.sh" "$version" "$work/alone"
	cmp "$work/alone" "$work/root/usr/sbin/wsprovision" || fail "the agent that is built alone differs from the package's"
	echo "built twice, byte for byte the same"
fi
install -m 0644 "$binary" "$source" "$dist/"
stat -c '%s bytes  %n' "$dist/${binary##*/}" "$dist/${source##*/}" "$work/root/usr/sbin/wsprovision" | sed "s|$work/root||"
