// Package nginx deals with an nginx that belongs to somebody else, as a program: it tests a candidate without touching
// the host, finds the running master and its workers, reads what they say, and proves that a reload took. What the
// configuration says is package conf's.
//
// It runs programs only through the caller's Run and writes no file of the host. It is made for nginx 1.12 … 1.20.1 as
// EPEL 7 ships it, and works with newer ones.
package nginx

import (
	"cmp"
	"time"

	"wsprovision/provision/known"
	"wsprovision/provision/nginx/conf"
	"wsprovision/provision/running"
)

// Nginx is one installation of nginx on this host. Empty Program, Conf and Proc mean /usr/sbin/nginx,
// /etc/nginx/nginx.conf and /proc.
type Nginx struct {
	// Root is prefixed to every path read from the file system; it is for tests. Proc is not prefixed with it.
	Root string
	// Read runs programs that only read: nginx -t and -V.
	Read running.Run
	// Reader is what the tests read the configuration by; nil remembers nothing from one to the next.
	Reader *conf.Reader
	// Known is what was read of processes already, while nothing changes; nil reads each time.
	Known   *known.Facts
	Program string
	Conf    string
	Proc    string
	// Patience bounds ProveReload where ctx does not; 0 means 10 s. nginx alone tries a taken port 5 times, 500 ms
	// apart.
	Patience time.Duration
}

func (n Nginx) program() string { return cmp.Or(n.Program, "/usr/sbin/nginx") }
func (n Nginx) conf() string    { return cmp.Or(n.Conf, "/etc/nginx/nginx.conf") }
func (n Nginx) proc() string    { return cmp.Or(n.Proc, "/proc") }
