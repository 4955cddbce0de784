#!/bin/bash
# Boots the machine once and saves it running, as the snapshot "booted" inside WORK/disk.qcow2: snapshot.sh WORK.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
work=$1
control=$work/control

# kvm_boots tells whether this kernel really starts under KVM: /dev/kvm may be there, take every call and run no guest.
kvm_boots() {
	[ -w /dev/kvm ] || return 1
	: >"$work/kvm.console"
	( # of its own, so that the shell's word on a QEMU that aborts goes to the log, too
		timeout 8 qemu-system-x86_64 -accel kvm -cpu host -m 512 -nodefaults -display none -no-reboot \
			-kernel "$work/vmlinuz" -append 'console=ttyS0 panic=-1' -serial "file:$work/kvm.console"
		:
	) >>"$work/log/kvm" 2>&1
	grep -q 'Unable to mount root' "$work/kvm.console"
}

# in_guest COMMAND runs it on the machine as root.
in_guest() {
	ssh -q -i "$work/keys/ssh" -p "$port" -o ConnectTimeout=5 -o BatchMode=yes -o StrictHostKeyChecking=no \
		-o UserKnownHostsFile=/dev/null root@127.0.0.1 "$@"
}

# wait_for SECONDS COMMAND... repeats it until it succeeds.
wait_for() {
	local deadline=$((SECONDS + $1))
	shift
	until "$@" >/dev/null 2>&1; do
		[ "$SECONDS" -lt "$deadline" ] && kill -0 "$machine" || {
			echo "$* did not succeed in time; the console's last lines:" >&2
			tail -n 30 "$work/log/console" >&2
			return 1
		}
		sleep 1
	done
}

if kvm_boots; then echo kvm; else echo tcg; fi >"$work/accel"
step "  with $(cat "$work/accel")"
qemu-img create -q -f qcow2 -F raw -b disk.raw "$work/disk.qcow2"
"$recipe/qemu.sh" "$work" "$work/disk.qcow2" "$control" "$work/log/console" >"$work/log/qemu" 2>&1 &
machine=$!
trap 'kill "$machine" 2>/dev/null || :' EXIT
wait_for 10 test -S "$control"
port=$("$recipe/hmp.py" "$control" 'info usernet' | awk '/HOST_FORWARD/ && $6 == 22 { print $4 }')
wait_for 240 in_guest true
step "  ssh answers"
wait_for 120 in_guest systemctl is-system-running --wait
wait_for 60 in_guest "curl -fs http://127.0.0.1:8600/extras/repodata/repomd.xml && ss -Hltn 'sport = 3000' | grep -q ."
in_guest 'getenforce | grep -qx Enforcing; journalctl --flush; sync; echo 3 >/proc/sys/vm/drop_caches'
sleep 1
step "  booted"
"$recipe/hmp.py" "$control" 'savevm booted'
"$recipe/hmp.py" "$control" quit || :
wait "$machine" || :
trap - EXIT
rm -f "$control" "$work/kvm.console"
