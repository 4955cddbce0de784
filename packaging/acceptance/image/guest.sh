#!/bin/bash
# Turns the Debian tree into the machine: guest.sh WORK.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
work=$1
tree=$work/tree

cp -r --no-preserve=ownership "$recipe/guest/." "$tree/"
quietly "$work/log/guest" "$recipe/policy.sh" "$tree"
quietly "$work/log/guest" rpm --root "$tree" --dbpath /var/lib/rpm --noscripts --nosignature --replacefiles -i "$work"/packages/base/*.rpm
ln -sfn dnf/dnf.conf "$tree/etc/yum.conf"
rm -f "$tree"/etc/apt/sources.list "$tree"/etc/apt/sources.list.d/*
echo acceptance >"$tree/etc/hostname"
echo '127.0.0.1 localhost acceptance' >"$tree/etc/hosts"
echo '::1 localhost' >>"$tree/etc/hosts"
: >"$tree/etc/resolv.conf"
echo '/dev/vda / ext4 defaults 0 1' >"$tree/etc/fstab"
# With an empty id the first boot would preset every unit.
systemd-machine-id-setup --root="$tree" >/dev/null 2>&1

rm -f "$tree"/etc/ssh/ssh_host_*
install -m 600 "$work/keys/host" "$tree/etc/ssh/ssh_host_ed25519_key"
install -D -m 600 "$work/keys/ssh.pub" "$tree/root/.ssh/authorized_keys"

mkdir -p "$tree/opt/ws-backend" "$tree/srv/mirror"
cp -r --no-preserve=ownership "$work/backend/." "$tree/opt/ws-backend/"
cp -r --no-preserve=ownership "$work/mirror/." "$tree/srv/mirror/"

mkdir -p "$tree/etc/systemd/system-generators"
for generator in $(list masked.generators); do
	ln -s /dev/null "$tree/etc/systemd/system-generators/$generator"
done
quietly "$work/log/guest" systemctl --root="$tree" mask $(list masked.units)
quietly "$work/log/guest" systemctl --root="$tree" enable wired.service mirror.service ws-backend.service ssh.service auditd.service
