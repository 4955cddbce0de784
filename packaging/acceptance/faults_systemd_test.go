//go:build acceptance

package acceptance

import "fmt"

// slowReload makes nginx's reload take some seconds, and systemd wait for it so long.
func slowReload(seconds, limit int) string {
	return fmt.Sprintf("mkdir -p /run/systemd/system/nginx.service.d && printf "+
		"'[Service]\\nTimeoutStartSec=%d\\nExecReload=\\nExecReload=/bin/sleep %d\\n"+
		"ExecReload=/usr/sbin/nginx -s reload\\n' >/run/systemd/system/nginx.service.d/slow.conf && systemctl "+
		"daemon-reload; ", limit, seconds)
}

const (
	quickReload = "rm -r /run/systemd/system/nginx.service.d && systemctl daemon-reload"
	// atReload runs the agent up to where it waits for a slow reload.
	atReload = "/root/agent & agent=$!; until pgrep -P 1 -x sleep >/dev/null || ! kill -0 $agent; do :; done; " +
		"sleep 0.5; "
	sameDBus = "pgrep -x dbus-daemon"
)

// systemdFaults come between the agent and PID 1.
var systemdFaults = []fault{
	{name: "D-Bus socket gone", long: true, make: "mv /run/dbus/system_bus_socket /run/dbus/away",
		unmake: "mv /run/dbus/away /run/dbus/system_bus_socket", status: 0},
	{name: "dbus-daemon dead, systemd's private socket alive", long: true,
		make: "systemctl stop dbus.socket dbus.service; kill -KILL $(" + sameDBus + ") 2>/dev/null; sleep 1; ! " +
			sameDBus,
		unmake: "systemctl start dbus.socket dbus.service", status: 0},
	{name: "dbus-daemon takes connections and does not answer (SIGSTOP)", long: true, make: "kill -STOP $(" +
		sameDBus + ")", unmake: "kill -CONT $(" + sameDBus + ")", status: 0},
	{name: "dbus-daemon answers 15 s late, in the middle of the reload", long: true, make: slowReload(3, 90),
		run:    atReload + "kill -STOP $(" + sameDBus + "); sleep 15; kill -CONT $(" + sameDBus + "); wait $agent",
		unmake: quickReload, status: 0},
	{name: "dbus-daemon killed in the middle of the reload", make: slowReload(3, 90),
		run: atReload + "kill -KILL $(" + sameDBus + "); wait $agent", unmake: quickReload,
		status: 1, step: "service", says: []string{"connection to systemd was lost"}},
	{name: "systemd both sockets gone", long: true,
		make:   "mv /run/dbus/system_bus_socket /run/dbus/away; mv /run/systemd/private /run/systemd/away",
		unmake: "mv /run/systemd/away /run/systemd/private; mv /run/dbus/away /run/dbus/system_bus_socket",
		status: 1, step: "service", says: []string{"connect to systemd", "system bus", "private socket"},
		untouched: true},
	{name: "reload takes 15 s", long: true, make: slowReload(15, 90), unmake: quickReload, status: 0},
	{name: "reload never comes back, systemd gives up after 5 s", long: true, make: slowReload(60, 5),
		unmake: quickReload,
		status: 1, step: "service", says: []string{"reload nginx.service", "the previous configuration was put back"},
		varies: true},
	{name: "the same in a revert", long: true, make: slowReload(60, 5), run: revertRun, unmake: quickReload,
		status: 1, step: "service", says: []string{"reload nginx.service", "the previous configuration was put back"},
		varies: true},
	{name: "nginx.service masked", long: true, make: "systemctl mask --runtime nginx 2>/dev/null",
		unmake: "systemctl unmask --runtime nginx 2>/dev/null",
		status: 1, step: "service", says: []string{"masked", "systemctl unmask --runtime nginx.service"},
		untouched: true},
}
