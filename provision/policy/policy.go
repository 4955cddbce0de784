package policy

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"wsprovision/provision/config"
	"wsprovision/provision/host"
	"wsprovision/provision/managed"
	"wsprovision/provision/state"
	"wsprovision/selinux"
	"wsprovision/selinux/policydb"
)

// Policy is the boolean and the ports.
type Policy struct {
	*host.Host
	Config  config.Config
	Ledger  *state.Ledger
	Managed *managed.Files
	// KeepLabels has commit write the policy store, and gives what it wrote the labels of the policy.
	KeepLabels func(status selinux.Status, commit func() error) error
}

func (po Ports) PresentPort(ctx context.Context, name string) (string, error) {
	p, err := PortNamed(name)
	if err != nil {
		return "", err
	}
	state, err := po.SELinux.Port(ctx, p.Proto, p.Low)
	return LocalType(state, p.Low), err
}

// PortNamed is the port of an entry's name: "tcp/3000".
func PortNamed(name string) (policydb.Port, error) {
	proto, number, _ := strings.Cut(name, "/")
	port, err := strconv.Atoi(number)
	if err != nil {
		return policydb.Port{}, fmt.Errorf("%s: %q is no port", state.LedgerPath, name)
	}
	return policydb.Port{Proto: proto, Low: port, High: port}, nil
}

// Denial says where the running policy keeps nginx from the port.
func (p *Policy) Denial(port int) string {
	if port == 0 { // a UNIX socket
		return ""
	}
	allowed, label, err := p.SELinux.Kernel().MayConnect(port)
	if err != nil || allowed {
		return ""
	}
	return fmt.Sprintf(": SELinux denies httpd_t to connect to port %d (%s)", port, label)
}
