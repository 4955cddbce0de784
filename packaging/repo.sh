#!/bin/bash
# Makes a yum repository of the packages in dist, in dist/repo: repo.sh KEY BASEURL [INTO]. KEY is the fingerprint of
# an RSA key in GnuPG's key ring (GNUPGHOME), or "trial" for one that is made for the purpose and thrown away. BASEURL
# is where the folder will be served from. What it makes, yum 3.4.3 and rpm 4.11 take: RSA signatures over header and
# payload, metadata compressed by gzip and signed (repo_gpgcheck), no sqlite. Needs createrepo_c, gpg, rpmsign and go.
# But for the signatures, the same packages make the same repository.
set -euo pipefail
here=$(dirname "$(realpath "$0")")
dist=$(dirname "$here")/dist
if [ $# -lt 2 ]; then
	echo "say by which key and for which place: make repo KEY=FINGERPRINT BASEURL=https://packages.example.com/el7" >&2
	echo "(KEY=trial makes a key for the purpose)" >&2
	exit 2
fi
key=$1 baseurl=${2%/} into=$(realpath -m "${3:-$dist/repo}")
umask 022

fail() {
	echo "repo.sh: $*" >&2
	exit 1
}

work=$(mktemp -d)
leave() {
	if [ -d "$work/ring" ]; then gpgconf --homedir "$work/ring" --kill gpg-agent || :; fi
	rm -rf "$work"
}
trap leave EXIT

# The key comes from the same place as what it vouches for.
case $baseurl in
https://* | file://*) ;;
http://*)
	[ "$key" = trial ] ||
		fail "$baseurl: over http anybody on the way could exchange the key with the packages: use https"
	;;
*) fail "$baseurl is no URL of a repository: write it like https://packages.example.com/el7" ;;
esac

if [ "$key" = trial ]; then
	export GNUPGHOME=$work/ring
	mkdir -m 700 "$GNUPGHOME"
	gpg --quiet --batch --passphrase '' --quick-gen-key \
		'wsprovision trial <trial@wsprovision.invalid>' rsa4096 sign 30d 2>/dev/null
	key=$(gpg --quiet --no-auto-check-trustdb --list-keys --with-colons | awk -F: '$1 == "fpr" { print $10; exit }')
	echo "repo.sh: signed by a key that was made for this trial, and is gone: nobody has reason to trust it" >&2
fi

# rpm 4.11 knows RSA and no Ed25519, and checks signatures of the main key alone.
check_key() {
	local algorithm length validity capabilities
	IFS=: read -r _ validity length algorithm _ _ _ _ _ _ _ capabilities _ < \
		<(gpg --with-colons --list-secret-keys "$key" 2>/dev/null | grep '^sec:') ||
		fail "no secret key $key in GnuPG's key ring"
	[ "$algorithm" = 1 ] || fail "key $key is no RSA key: EL7's rpm reads no other"
	[ "$length" -ge 2048 ] || fail "key $key has $length bits: 2048 are the least"
	[[ $validity != [redn] ]] || fail "key $key is revoked, expired or disabled"
	[[ $capabilities == *s* ]] || fail "key $key signs by a subkey alone, which EL7's rpm does not check"
}
check_key

version=$(sed -n 's/^Version:[[:space:]]*//p' "$here/wsprovision.spec")
binary=$dist/wsprovision-$version-1.el7.x86_64.rpm source=$dist/wsprovision-$version-1.el7.src.rpm
[ -f "$binary" ] && [ -f "$source" ] || fail "$dist lacks the packages of $version: make rpm"
built=$(rpm -qp --qf '%{BUILDTIME}' "$binary")
repo=$work/repo
mkdir -p "$repo/source"

sign() {
	rpmsign --addsign --rpmv3 --define "_gpg_path ${GNUPGHOME:-$HOME/.gnupg}" --define "_gpg_name $key" \
		--define '_gpg_digest_algo sha256' --define '__gpg /usr/bin/gpg' "$@" \
		>"$work/log" 2>&1 || fail "$(cat "$work/log")"
}

install -m 0644 "$binary" "$repo/"
install -m 0644 "$source" "$repo/source/"
sign "$repo"/*.rpm "$repo"/source/*.rpm
touch -d "@$built" "$repo"/*.rpm "$repo"/source/*.rpm

createrepo_c --quiet --no-database --general-compress-type=gz --checksum=sha256 --revision="$built" \
	--set-timestamp-to-revision --excludes='*.src.rpm' "$repo"
gpg --armor --export --export-options export-minimal "$key" >"$repo/RPM-GPG-KEY-wsprovision"
gpg --batch --yes --local-user "$key!" --digest-algo SHA256 --armor --detach-sign "$repo/repodata/repomd.xml"
cat >"$repo/wsprovision.repo" <<END
# Put this into /etc/yum.repos.d. The key's fingerprint is $key.
[wsprovision]
name=wsprovision for Enterprise Linux 7
baseurl=$baseurl/
enabled=1
gpgcheck=1
repo_gpgcheck=1
gpgkey=$baseurl/RPM-GPG-KEY-wsprovision
END

mkdir "$work/root"
(cd "$work/root" && rpm2cpio "$binary" | cpio --quiet -id ./usr/sbin/wsprovision)
(cd "$here/.." && go run ./packaging/sbom "$version" "$work/root/usr/sbin/wsprovision" go.sum) \
	>"$repo/wsprovision-$version.cdx.json"
(cd "$repo" && find . -type f -printf '%P\n' | LC_ALL=C sort | xargs sha256sum >"$work/SHA256SUMS")
install -m 0644 "$work/SHA256SUMS" "$repo/"
gpg --batch --yes --local-user "$key!" --digest-algo SHA256 --armor --detach-sign "$repo/SHA256SUMS"

# A host has nothing but the exported key. RHEL 7's gpgv is 2.0, which reads key rings, no armour.
gpg --quiet --dearmor <"$repo/RPM-GPG-KEY-wsprovision" >"$work/key.gpg"
for signed in repodata/repomd.xml SHA256SUMS; do
	gpgv --quiet --keyring "$work/key.gpg" "$repo/$signed.asc" "$repo/$signed" 2>"$work/log" ||
		fail "$signed: $(cat "$work/log")"
done
rpmkeys --dbpath "$work/rpm" --import "$repo/RPM-GPG-KEY-wsprovision"
for package in "$repo"/*.rpm "$repo"/source/*.rpm; do
	rpmkeys --dbpath "$work/rpm" --checksig "$package" | grep -q 'digests signatures OK$' ||
		fail "${package##*/} is not signed as it should be"
done

rm -rf "$into"
mkdir -p "${into%/*}"
mv "$repo" "$into"
echo "$into: serve it at $baseurl"
echo "signed by $key: publish this fingerprint elsewhere, too"
