package nginx

import (
	"fmt"
	"net"
	"slices"
	"strings"
	"syscall"
	"testing"

	"wsprovision/provision/nginx/nginxtest"
)

// TestOrphans: what a killed master leaves keeps its port, and on SIGQUIT lets go of it, but not of its connections.
func TestOrphans(t *testing.T) {
	nginxtest.NeedNginx(t, true)
	port := nginxtest.FreePort(t)
	h := newHost(t, map[string]string{"conf.d/a.conf": nginxtest.Serve(port, "one")})
	h.Start()
	before := h.mark().Master
	address := fmt.Sprintf("127.0.0.1:%d", port)
	client, err := net.Dial("tcp", address)
	h.Must(err)
	defer client.Close()
	fmt.Fprint(client, "GET / HTTP/1.1\r\nHost: a\r\n")
	h.Eventually("the connection is accepted", func() bool { return len(h.established(port)) > 0 })
	if all, err := h.nginx().Orphans(t.Context()); err != nil || slices.ContainsFunc(all, before.has) {
		t.Errorf("a master's own are orphans: %v, %v", all, err)
	}
	t.Cleanup(func() {
		for _, w := range before.Workers {
			_ = syscall.Kill(w.PID, syscall.SIGKILL)
		}
	})
	h.Must(syscall.Kill(before.PID, syscall.SIGKILL))
	h.Eventually("the worker is an orphan", func() bool {
		all, err := h.nginx().Orphans(t.Context())
		return err == nil && slices.ContainsFunc(all, before.has)
	})
	if l, err := net.Listen("tcp", address); err == nil {
		l.Close()
		t.Error("an orphan does not keep the port")
	}
	h.Must(syscall.Kill(before.Workers[0].PID, syscall.SIGQUIT))
	h.Eventually("the port is free", func() bool {
		l, err := net.Listen("tcp", address)
		if err == nil {
			l.Close()
		}
		return err == nil
	})
	fmt.Fprint(client, "Connection: close\r\n\r\n")
	answer := make([]byte, 4096)
	if n, err := client.Read(answer); err != nil || !strings.Contains(string(answer[:n]), "200 OK") {
		t.Errorf("the open connection was cut: %q, %v", answer[:n], err)
	}
}

func (m Master) has(w Worker) bool {
	return slices.ContainsFunc(m.Workers, func(o Worker) bool { return o.PID == w.PID })
}

// established are the connections that a worker has accepted on a port.
func (h host) established(port int) []string {
	var all []string
	for fields := range rows([]byte(h.Read("/proc/net/tcp"))) {
		if len(fields) > 9 && fields[3] == "01" && strings.HasSuffix(fields[1], fmt.Sprintf(":%04X", port)) &&
			fields[9] != "0" {
			all = append(all, fields[9])
		}
	}
	return all
}

// TestHostileOrphans: children of a master, of whatever configuration, are none, nor is a process of another name.
func TestHostileOrphans(t *testing.T) {
	n := fakeProc(t, map[int][2]string{
		1:  {strings.Replace(statLine(1, 0, 1), "nginx", "systemd", 1), "/sbin/init"},
		10: {statLine(10, 1, 100), "nginx: master process nginx -c /other.conf"},
		11: {statLine(11, 10, 110), "nginx: worker process"},
		12: {statLine(12, 1, 120), "nginx: worker process"},
		13: {statLine(13, 99, 130), "nginx: worker process is shutting down"},
		14: {strings.Replace(statLine(14, 1, 140), "nginx", "sleep", 1), "nginx: worker process"},
		15: {statLine(15, 1, 150), "nginx: cache manager process"},
		16: {strings.Replace(statLine(16, 1, 160), ") S ", ") Z ", 1), ""},
	})
	got, err := n.Orphans(t.Context())
	if want := []Worker{{12, 120, false}, {13, 130, true}}; err != nil || !slices.Equal(got, want) {
		t.Errorf("%v, %v, want %v", got, err, want)
	}
}
