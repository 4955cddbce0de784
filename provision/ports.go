package provision

import (
	"context"
	"fmt"
	"slices"

	multierror "github.com/hashicorp/go-multierror"

	"wsprovision/selinux"
)

// labelledPorts are the backends' ports and, where the configuration asks for
// it, those to listen on that nginx may not bind; each once, in the order of
// the configuration.
func (r *Run) labelledPorts(ctx context.Context) []int {
	var ports []int
	for _, site := range r.Config.Sites {
		for _, l := range site.Locations {
			ports = append(ports, l.Backend.Port)
		}
	}
	if r.Config.SELinux.LabelListenPorts {
		for _, port := range r.listenPorts() {
			if may, _, err := r.mayListen(ctx, port); err == nil && !may {
				ports = append(ports, port)
			}
		}
	}
	return once(ports)
}

func (r *Run) listenPorts() []int {
	var ports []int
	for _, site := range r.Config.Sites {
		for _, l := range site.Listen {
			ports = append(ports, l.Port)
		}
	}
	return once(ports)
}

func once(ports []int) []int {
	var all []int
	for _, p := range ports {
		if !slices.Contains(all, p) {
			all = append(all, p)
		}
	}
	return all
}

// checkListening finds the ports that nginx may not listen on: nginx -t binds
// them as root without a complaint, and the confined master then cannot.
func (r *Run) checkListening(ctx context.Context, status selinux.Status) error {
	if r.Config.SELinux.LabelListenPorts || status.Mode == selinux.Disabled && !r.Where.Offline() {
		return nil
	}
	var all *multierror.Error
	for _, port := range r.listenPorts() {
		may, label, err := r.mayListen(ctx, port)
		if err != nil || may {
			continue // what cannot be told is told by the reload
		}
		all = multierror.Append(all, fmt.Errorf("SELinux does not let nginx listen on port tcp/%d, which is %s: "+
			"label it with selinux.label_listen_ports: true (--label-listen-ports), or listen on 80, 443, 8008, 8009, 8080 or 8443", port, label))
	}
	return together(all)
}

// bindable are the types of ports that httpd_t may bind under RHEL 7's policy,
// for where no running kernel can be asked (selinux-policy 3.13.1, apache.te).
var bindable = []string{"http_port_t", "http_cache_port_t", "ntop_port_t", "jboss_management_port_t", "jboss_messaging_port_t", "puppet_port_t"}

// mayListen reports whether nginx may bind the port, and the port's type.
func (r *Run) mayListen(ctx context.Context, port int) (bool, string, error) {
	if !r.Where.Offline() {
		if may, label, err := r.SELinux.MayBind(port); err == nil {
			return may, label, nil
		}
	}
	state, err := r.SELinux.Port(ctx, "tcp", port)
	return slices.Contains(bindable, state.Stored), state.Stored, err
}
