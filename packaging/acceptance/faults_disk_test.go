//go:build acceptance

package acceptance

import "fmt"

// fillRoot takes all that root may take of /, and leaves some kilobytes.
func fillRoot(left int) string {
	room := ""
	if left > 0 {
		room = fmt.Sprintf("fallocate -l %dK /room; ", left)
	}
	return room + "for size in 512M 32M 2M 64K; do i=0; while fallocate -l $size /fill.$size.$i 2>/dev/null; do " +
		"i=$((i + 1)); done; done; cat /dev/zero >/fill 2>/dev/null; sync; rm -f /room; sync"
}

const freeRoot = "rm -f /fill*; sync"

// ownDisk gives a directory a file system of its own, with what was in it.
func ownDisk(dir, size string) string {
	image := "/root/disk.ext4"
	return fmt.Sprintf("rm -f %[3]s; truncate -s %[2]s %[3]s && mkfs.ext4 -q -m 0 -b 1024 %[3]s && mount -o loop "+
		"%[3]s /mnt && cp -a %[1]s/. /mnt/ && chcon --reference=%[1]s /mnt && chmod --reference=%[1]s /mnt && umount "+
		"/mnt && mount -o loop %[3]s %[1]s && ", dir, size, image)
}

// fullDisk takes the space of a directory's own file system, to the last block of 1 kB, noInodes its inodes; freeDisk
// gives both back.
func fullDisk(dir, size string) string {
	return ownDisk(dir, size) + "mkdir " + dir +
		"/.fill && { for i in 1 2; do cat /dev/zero; sync; dd if=/dev/zero bs=1k; sync; done >>" + dir +
		"/.fill/zeros 2>/dev/null; true; }"
}

func noInodes(dir, size string) string {
	return ownDisk(dir, size) + "{ mkdir " + dir + "/.fill; i=0; while : >" + dir +
		"/.fill/$i; do i=$((i + 1)); done 2>/dev/null; sync; }"
}

func freeDisk(dir string) string { return "rm -rf " + dir + "/.fill; sync" }

// readOnly mounts a directory read-only, as it is.
func readOnly(dir string) string {
	return fmt.Sprintf("mount --bind %[1]s %[1]s && mount -o remount,bind,ro %[1]s", dir)
}

// diskFaults leave no room, in the step in which each strikes.
var diskFaults = []fault{
	{name: "/ full", long: true, make: fillRoot(0), unmake: freeRoot,
		status: 1, step: "site-file",
		says: []string{"no space left on device", "free space", "/var/lib/wsprovision"}},
	{name: "/ full but for 200 kB, a bare host", long: true, from: installed, flags: siteFlags +
		" --epel-source repository",
		make:   fillRoot(200),
		unmake: freeRoot,
		status: 1, step: "repository", says: []string{"free space"}, varies: true},
	{name: "/ full but for 200 kB, yum has a package to bring", long: true, make: noSemanage + fillRoot(200),
		unmake: freeRoot,
		status: 1, step: "packages", says: []string{"free space"}, varies: true},
	{name: "/var/cache full, yum has a package to bring", long: true, make: noSemanage + fullDisk("/var/cache", "8M"),
		unmake: freeDisk("/var/cache"),
		status: 1, step: "packages", says: []string{"free space"}, varies: true},
	{name: "/ full but for 2 MB, semanage has a port to label", long: true, flags: otherPort, make: secondEcho +
		fillRoot(2048), unmake: freeRoot,
		status: 1, step: "selinux", says: []string{"semanage import", "free space"}, varies: true},
	{name: "/etc/nginx full", long: true, make: fullDisk("/etc/nginx", "2M"), unmake: freeDisk("/etc/nginx"),
		status: 1, step: "server-block", says: []string{"no space left on device", "free space", "/etc/nginx/conf.d"}},
	{name: "/etc/nginx without inodes", long: true, make: noInodes("/etc/nginx", "2M"), unmake: freeDisk("/etc/nginx"),
		status: 1, step: "server-block", says: []string{"no inode left", "/etc/nginx/conf.d"}, untouched: true},
	{name: "/etc/systemd/system without inodes, nginx to be enabled", long: true, flags: siteFlags,
		make:   "systemctl disable nginx 2>/dev/null; " + noInodes("/etc/systemd/system", "2M"),
		unmake: freeDisk("/etc/systemd/system"),
		status: 1, step: "service", says: []string{"enable nginx.service", "No space left on device"}},
	{name: "/var/lib/wsprovision full", long: true, make: fullDisk("/var/lib/wsprovision", "1M"),
		unmake: freeDisk("/var/lib/wsprovision"),
		status: 1, step: "site-file",
		says: []string{"no space left on device", "free space", "/var/lib/wsprovision"}},
	{name: "/var/lib/wsprovision without inodes", make: noInodes("/var/lib/wsprovision", "1M"),
		unmake: freeDisk("/var/lib/wsprovision"),
		status: 1, step: "site-file", says: []string{"no inode left", "/var/lib/wsprovision"}},
	{name: "/var/log/nginx full", long: true, make: fullDisk("/var/log/nginx", "1M"),
		unmake: freeDisk("/var/log/nginx"), status: 0},
	{name: "/run full", long: true, make: "cat /dev/zero >/run/.fill 2>/dev/null || :", unmake: "rm /run/.fill",
		status: 1, step: "server-block", says: []string{"no space left on device", "free space", "/run/wsprovision"}},
	{name: "/etc read-only", long: true, make: readOnly("/etc"), unmake: "umount -l /etc",
		status: 1, step: "site-file, server-block", says: []string{"read-only file system", "/etc/wsprovision/sites.d",
			"read-write"},
		untouched: true},
	{name: "/etc read-only, a revert", long: true, make: readOnly("/etc"), run: revertRun, unmake: "umount -l /etc",
		status: 1, step: "server-block", says: []string{"read-only file system", "/etc/nginx/conf.d", "read-write"},
		untouched: true},
	{name: "/var read-only", long: true, make: readOnly("/var"), unmake: "umount -l /var",
		status: 1, step: "site-file", says: []string{"read-only file system", "/var/lib/wsprovision", "read-write"}},
	{name: "/tmp and /var/tmp noexec", long: true, make: noSemanage +
		"for d in /tmp /var/tmp; do mount --bind $d $d && mount -o remount,bind,noexec,nosuid,nodev $d; done",
		status: 0},
}
