#!/bin/bash
# Brings Debian's SELinux policy to where RHEL 7's is: policy.sh TREE. No local boolean is used for it, so that the store's local
# records are empty as on a new host.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
tree=$1
apache=$tree/var/lib/selinux/default/active/modules/100/apache/cil

# RHEL 7 turns this boolean on in the policy itself; with it a backend's port labelled http_port_t is already enough for nginx.
bunzip2 <"$apache" | sed 's/^(boolean httpd_graceful_shutdown false)$/(boolean httpd_graceful_shutdown true)/' >"$tree/tmp/apache.cil"
grep -qx '(boolean httpd_graceful_shutdown true)' "$tree/tmp/apache.cil"
bzip2 <"$tree/tmp/apache.cil" >"$apache"
cp "$recipe/policy.cil" "$tree/tmp/standin.cil"
chroot "$tree" semodule -n -i /tmp/standin.cil
rm "$tree/tmp"/*.cil
