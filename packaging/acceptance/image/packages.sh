#!/bin/bash
# Builds and signs the RPMs: packages.sh WORK. They lie in WORK/packages by repository: base, extras, epel, older, and for the
# scenarios of distrust stranger (signed by a key that nobody vouches for) and unsigned.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
work=$1
top=$work/rpmbuild
mkdir -p "$top/SOURCES"
cp "$recipe"/rpm/nginx.{conf,service} "$top/SOURCES/"
cp "$work/keys/extras.asc" "$top/SOURCES/RPM-GPG-KEY-CentOS-7"
cp "$work/keys/epel.asc" "$top/SOURCES/RPM-GPG-KEY-EPEL-7"

# build REPOSITORY SPEC [RPMBUILD-OPTIONS...]
build() {
	local into=$work/packages/$1 spec=$recipe/rpm/$2
	shift 2
	mkdir -p "$into"
	quietly "$work/log/packages" rpmbuild -bb --quiet --define "_topdir $top" --define "_rpmdir $into" \
		--define '_rpmfilename %%{NAME}-%%{VERSION}-%%{RELEASE}.%%{ARCH}.rpm' --define '_build_id_links none' \
		--define '_binary_payload w2.xzdio' --define '__brp_compress %{nil}' --define "debian $work/debian/files" "$@" "$spec"
}

# sign REPOSITORY KEY
sign() {
	quietly "$work/log/packages" rpmsign --addsign --rpmv3 --define "_gpg_path $work/keys/$2" \
		--define "_gpg_name $(cat "$work/keys/$2.fingerprint")" --define '__gpg /usr/bin/gpg' "$work/packages/$1"/*.rpm
}

build base centos-release.spec
build extras epel-release.spec
build extras policycoreutils-python.spec
build epel nginx.spec --define 'nginx_version 1.20.1' --define 'nginx_release 10.el7'
build older nginx.spec --define 'nginx_version 1.16.1' --define 'nginx_release 3.el7' --define 'default_server 1'
for distrusted in stranger unsigned; do
	cp -r "$work/packages/epel" "$work/packages/$distrusted"
done
sign extras extras
sign epel epel
sign older epel
sign stranger stranger
rm -rf "$top"
