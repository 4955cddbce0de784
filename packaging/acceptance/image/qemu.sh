#!/bin/bash
# Becomes the machine: qemu.sh IMAGE DISK CONTROL SERIAL [QEMU-OPTIONS...]. CONTROL is the path of the QMP socket to be, SERIAL of the
# console's log. It is the one place that names the hardware: a snapshot is restored only into the same hardware it was taken from.
# Environment: ACCEL (else IMAGE/accel decides), APPEND (more kernel arguments), MEMORY and CPUS. One processor: what is waited for
# runs on one, and two machines with one each do more in a minute than one machine with two.
set -euo pipefail
image=$1 disk=$2 control=$3 serial=$4
shift 4

accel=${ACCEL:-$(cat "$image/accel")}
# Without what an emulated processor does slowly: rep movsb goes byte by byte, a page table of five levels is walked in software.
case $accel in
kvm) engine=(-accel kvm -cpu host) ;;
tcg) engine=(-accel tcg,thread=multi -cpu max,erms=off,la57=off,smap=off) ;;
esac

# /etc/selinux/config says enforcing; enforcing=0 in APPEND overrides it, and an lsm= without selinux switches SELinux off (this kernel
# knows no selinux=0). mitigations=off: page table isolation alone costs an emulated machine more than anything it runs. tsc=reliable: else
# the kernel asks an emulated HPET for the time, which no server does and which a program pays for thousands of times. norandmaps: QEMU
# 7.2 keeps what it translated by virtual address, so that with programs at other addresses each start was translated anew, at three
# quarters of its time.
kernel="root=/dev/vda rw console=ttyS0 security=selinux lsm=landlock,lockdown,yama,integrity,selinux,bpf \
net.ifnames=0 audit=1 mitigations=off nowatchdog tsc=reliable norandmaps rcupdate.rcu_cpu_stall_suppress=1 systemd.show_status=1 ${APPEND:-}"

# cache=unsafe: what the guest flushes goes to the host's kernel, which outlives QEMU's end, a power cut here; that the host syncs it too
# would only cost time.
# Port 0 is a free port of the host's choosing, asked for with "info usernet". Nothing leaves the machine.
exec qemu-system-x86_64 -name acceptance "${engine[@]}" -machine pc -smp "${CPUS:-1}" -m "${MEMORY:-2048}" \
	-nodefaults -no-user-config -display none \
	-kernel "$image/vmlinuz" -initrd "$image/initrd" -append "$kernel" \
	-drive "file=$disk,format=qcow2,if=virtio,cache=unsafe,backing.driver=raw,backing.file.filename=$image/disk.raw" \
	-netdev user,id=lan,restrict=on,hostfwd=tcp:127.0.0.1:0-:22,hostfwd=tcp:127.0.0.1:0-:80 \
	-device virtio-net-pci,netdev=lan -device virtio-rng-pci \
	-serial "file:$serial" -qmp "unix:$control,server=on,wait=off" "$@"
