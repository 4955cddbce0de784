//go:build acceptance

package acceptance

const (
	away = "mv " + siteFile + " /root/ours && "
	back = " && mv /root/ours " + siteFile
	// stagedFile is where the agent stages the site's file.
	stagedFile = "/etc/nginx/conf.d/.websocket.conf.wsprovision-new"
	ledgerFile = "/var/lib/wsprovision/ledger.json"
)

// placeFaults put something else where a file of ours should be, or hold it fast.
var placeFaults = []fault{
	{name: "symbolic link where the server block should be", long: true, make: away +
		"echo precious >/root/precious && ln -s /root/precious " + siteFile, unmake: "rm " + siteFile + back,
		status: 1, step: "server-block", says: []string{siteFile, "symbolic link", "remove it"}, untouched: true,
		also: `test "$(cat /root/precious; readlink ` + siteFile + `)" = "$(printf 'precious\n/root/precious')"`},
	{name: "symbolic link to nothing there", long: true, make: away + "ln -s /root/nothing " + siteFile,
		unmake: "rm " + siteFile + back,
		status: 1, step: "server-block", says: []string{siteFile, "symbolic link"}, untouched: true,
		also: "! test -e /root/nothing"},
	{name: "directory there", long: true, make: away + "mkdir " + siteFile, unmake: "rmdir " + siteFile + back,
		status: 1, step: "server-block", says: []string{siteFile, "directory", "remove it"}, untouched: true},
	{name: "FIFO there", long: true, make: away + "mkfifo " + siteFile, unmake: "rm " + siteFile + back,
		status: 1, step: "server-block", says: []string{siteFile, "special file", "remove it"}, untouched: true},
	{name: "server block immutable (chattr +i)", long: true, make: "chattr +i " + siteFile, unmake: "chattr -i " +
		siteFile,
		status: 1, step: "server-block", says: []string{siteFile, "immutable", "chattr -i"}, untouched: true},
	{name: "/etc/nginx/conf.d immutable", long: true, make: "chattr +i /etc/nginx/conf.d",
		unmake: "chattr -i /etc/nginx/conf.d",
		status: 1, step: "server-block", says: []string{"/etc/nginx/conf.d", "immutable", "chattr -i"},
		untouched: true},
	{name: "ledger immutable", long: true, make: "chattr +i " + ledgerFile, unmake: "chattr -i " + ledgerFile,
		status: 1, step: "site-file", says: []string{ledgerFile, "immutable", "chattr -i"}},
	{name: "symbolic link where the file is staged", long: true,
		make: "echo precious >/root/precious && ln -s /root/precious " + stagedFile, status: 0,
		also: `test "$(cat /root/precious)" = precious`},
	{name: "directory where the file is staged", long: true, make: "mkdir -p " + stagedFile + "/x", unmake: "rm -r " +
		stagedFile,
		status: 1, step: "server-block", says: []string{stagedFile}},
	{name: "/var/lib/wsprovision a symbolic link", long: true,
		make:   "mv /var/lib/wsprovision /root/state && ln -s /root/state /var/lib/wsprovision",
		unmake: "rm /var/lib/wsprovision && mv /root/state /var/lib/wsprovision", status: 1,
		says: []string{"/var/lib/wsprovision", "symbolic link"}},
	{name: "/run/wsprovision a file", long: true, make: "rmdir /run/wsprovision && touch /run/wsprovision",
		unmake: "rm /run/wsprovision",
		status: 1, step: "service", says: []string{"/run/wsprovision"}, untouched: true},
	{name: "conf.d writable by everyone", make: "chmod o+w /etc/nginx/conf.d", unmake: "chmod o-w /etc/nginx/conf.d",
		status: 1, step: "server-block", says: []string{"/etc/nginx/conf.d", "chmod o-w"}, untouched: true},
	{name: "ledger cut off in the middle", make: "cp -p " + ledgerFile + " /root/ledger && truncate -s 100 " +
		ledgerFile, unmake: "cp -p /root/ledger " + ledgerFile,
		status: 1, says: []string{ledgerFile, "restore it from a backup"}, untouched: true},
	{name: "report cut off in the middle", long: true, make: "truncate -s 100 /var/lib/wsprovision/report.json",
		status: 0},
}
