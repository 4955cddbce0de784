//go:build acceptance

package acceptance

// during runs the agent up to where its child of that name runs, whose pid is then $child.
func during(program string) string {
	return "/root/agent & agent=$!; until child=$(pgrep -P $agent -x " + program + ") || ! kill -0 $agent; do :; done; "
}

const (
	crashingNginx = `#!/bin/sh
case " $* " in *" -t "*) kill -SEGV $$ ;; esac
exec /usr/sbin/nginx.real "$@"
`
	nginxCrashes = "mv /usr/sbin/nginx /usr/sbin/nginx.real && printf '%s' '" + crashingNginx +
		"' >/usr/sbin/nginx && chmod 755 /usr/sbin/nginx && chcon --reference=/usr/sbin/nginx.real /usr/sbin/nginx"
)

// programFaults end programs that the agent runs, or leave their locks behind.
var programFaults = []fault{
	{name: "yum killed while it fetches", long: true, make: noSemanage + "yum clean all", run: during("yum") +
		"sleep 2; kill -KILL $child; wait $agent",
		status: 1, step: "packages", says: []string{"yum", "killed"}, varies: true},
	{name: "yum killed half-way through its transaction", long: true, make: noSemanage,
		run: during("yum") + "until [ -e /usr/sbin/semanage ] || ! kill -0 $agent; do :; done; kill -KILL $child; " +
			"wait $agent",
		status: 1, step: "packages", says: []string{"yum", "killed"}, varies: true},
	{name: "yum.pid of a yum that is dead", long: true, make: noSemanage + "sleep 0 & echo $! >/run/yum.pid; wait",
		status: 0},
	{name: "yum.pid names another program by now", long: true, make: noSemanage +
		"setsid -f sleep 3600 >/dev/null 2>&1; pgrep -n -x sleep >/run/yum.pid; touch -d '1 hour ago' /run/yum.pid",
		unmake: "rm -f /run/yum.pid", status: 1, step: "packages",
		says: []string{"yum.pid", "sleep 3600", "remove /var/run/yum.pid"}},
	{name: "semanage killed as it starts", long: true, flags: otherPort, make: secondEcho, run: during("semanage") +
		"sleep 1; kill -KILL $child; wait $agent",
		status: 1, step: "selinux", says: []string{"semanage import", "killed"}, varies: true},
	{name: "semanage killed half-way", long: true, flags: otherPort, make: secondEcho,
		run: during("semanage") + "until [ -e /var/lib/selinux/default/tmp ] || ! kill -0 $agent; do :; done; " +
			"sleep 1; kill -KILL $child; wait $agent",
		status: 1, step: "selinux", says: []string{"semanage import", "killed"}, varies: true},
	{name: "nginx -t dies of SIGSEGV", make: nginxCrashes,
		unmake: "mv -f /usr/sbin/nginx.real /usr/sbin/nginx",
		// The program that runs is by then another one than the unit's, which the service step says.
		status: 1, step: "validate, service", says: []string{"nginx -t crashed", "module"}, untouched: true,
		varies: true},
}
