#!/bin/bash
# Labels the tree and makes the disk of it: disk.sh WORK. Kernel and initrd are taken out, for QEMU to boot directly.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
work=$1
tree=$work/tree

cp -L "$tree/vmlinuz" "$work/vmlinuz"
cp -L "$tree/initrd.img" "$work/initrd"
quietly "$work/log/disk" setfiles -r "$tree" -F "$tree/etc/selinux/default/contexts/files/file_contexts" "$tree"
# Tables written now are not written by the kernel in the background of the first scenario.
quietly "$work/log/disk" mke2fs -q -t ext4 -L root -E lazy_itable_init=0,lazy_journal_init=0 -d "$tree" "$work/disk.raw" 5G
