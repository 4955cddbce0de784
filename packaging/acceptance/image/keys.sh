#!/bin/bash
# Makes the keys of one image: keys.sh WORK. An RSA key for each repository and one that nobody vouches for (EL7's rpm reads no
# Ed25519), an ssh key for the harness and one for the machine.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
work=$1

# signing_key NAME UID makes a key ring of one key, its public part NAME.asc and its fingerprint.
signing_key() {
	local home=$work/keys/$1
	mkdir -m 700 "$home"
	quietly "$work/log/keys" gpg --homedir "$home" --batch --passphrase '' --quick-gen-key "$2" rsa4096 sign never
	gpg --homedir "$home" --quiet --no-auto-check-trustdb --armor --export >"$home.asc"
	gpg --homedir "$home" --quiet --no-auto-check-trustdb --list-keys --with-colons | awk -F: '$1 == "fpr" { print $10; exit }' >"$home.fingerprint"
}

signing_key extras 'CentOS 7 stand-in <extras@acceptance.invalid>'
signing_key epel 'EPEL 7 stand-in <epel@acceptance.invalid>'
signing_key stranger 'Nobody in particular <stranger@acceptance.invalid>'
ssh-keygen -q -t ed25519 -N '' -C acceptance -f "$work/keys/ssh"
ssh-keygen -q -t ed25519 -N '' -C acceptance-machine -f "$work/keys/host"
