package policy

import (
	"context"
	"errors"
	"fmt"
	"slices"

	multierror "github.com/hashicorp/go-multierror"

	"wsprovision/provision/engine"
	"wsprovision/selinux"
)

// labelledPorts are the backends' ports and, where the configuration asks for
// it, those to listen on that nginx may not bind; each once, in the order of
// the configuration.
func (po Ports) labelledPorts(ctx context.Context) []int {
	var ports []int
	for _, site := range po.Config.Sites {
		for _, l := range site.Locations {
			for _, b := range l.Backends {
				if b.Port > 0 {
					ports = append(ports, b.Port)
				}
			}
		}
	}
	if po.Config.SELinux.LabelListenPorts {
		for _, port := range po.listenPorts() {
			if may, _, err := po.mayListen(ctx, port); err == nil && !may {
				ports = append(ports, port)
			}
		}
	}
	return once(ports)
}

func (po Ports) listenPorts() []int {
	var ports []int
	for _, site := range po.Config.Sites {
		for _, l := range site.Sockets() {
			ports = append(ports, l.Port)
		}
	}
	return once(ports)
}

func once[T comparable](ports []T) []T {
	var all []T
	seen := map[T]bool{}
	for _, p := range ports {
		if !seen[p] {
			all = append(all, p)
		}
		seen[p] = true
	}
	return all
}

// checkListening finds the ports that nginx may not listen on: nginx -t binds
// them as root without a complaint, and the confined master then cannot. Where
// SELinux is permissive it can, until that ends.
func (po Ports) checkListening(ctx context.Context, f *engine.Finding, status selinux.Status) error {
	mode := status.Mode
	if po.Where.Offline() {
		mode = status.Configured // what the first boot has
	}
	if po.Config.SELinux.LabelListenPorts || mode == selinux.Disabled {
		return nil
	}
	var all *multierror.Error
	for _, port := range po.listenPorts() {
		may, label, err := po.mayListen(ctx, port)
		if err != nil || may {
			continue // what cannot be told is told by the reload
		}
		which := fmt.Sprintf("let nginx listen on port tcp/%d, which is %s: label it with "+
			"selinux.label_listen_ports: true (--label-listen-ports), or listen on 80, 443, 8008, 8009, 8080 or 8443",
			port, label)
		if mode == selinux.Permissive {
			f.Warnings = append(f.Warnings, "SELinux is permissive; enforcing, it would not "+which)
			continue
		}
		all = multierror.Append(all, errors.New("SELinux does not "+which))
	}
	return engine.Lines(all)
}

// bindable are the types of ports that httpd_t may bind under RHEL 7's policy,
// for where no running kernel can be asked (selinux-policy 3.13.1, apache.te).
var bindable = []string{"http_port_t", "http_cache_port_t", "ntop_port_t", "jboss_management_port_t",
	"jboss_messaging_port_t", "puppet_port_t"}

// The kernel's default net.ipv4.ip_local_port_range: it does not check the
// names of these ports (selinux_socket_bind), whatever their type.
const firstLocal, lastLocal = 32768, 60999

// mayListen reports whether nginx may bind the port, and the port's type.
func (po Ports) mayListen(ctx context.Context, port int) (bool, string, error) {
	if !po.Where.Offline() {
		if may, label, err := po.SELinux.Kernel().MayBind(port); err == nil {
			return may, label, nil
		}
	}
	state, err := po.SELinux.Port(ctx, "tcp", port)
	return slices.Contains(bindable, state.Stored) || firstLocal <= port && port <= lastLocal, state.Stored, err
}
