package selinux

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"

	"wsprovision/provision/lazy"
	"wsprovision/selinux/policydb"

	"golang.org/x/sys/unix"
)

// What selinuxfs names classes and permissions by.
var className = lazy.Regexp(`^[a-z_][a-z0-9_]*$`)

func isClassName(name string) bool { return len(name) <= 64 && className().MatchString(name) }

// Allowed asks the kernel whether its policy allows the permission. Source and target are contexts, or types: a type
// stands for a process (system_u:system_r) as source and for an object (system_u:object_r) as target, at s0 where the
// policy has levels. The answer is the policy's, also in permissive mode; only a type that is permissive by itself
// counts as allowed. An error wraps ErrUnknown.
func (k Kernel) Allowed(source, target, class, perm string) (bool, error) {
	d, err := k.Decide(source, target, class, perm)
	return d.Allowed || d.Permissive, err
}

// Decision is what the loaded policy says of one permission.
type Decision struct {
	Allowed bool
	// Permissive is a source that is permissive by itself (semanage-permissive(8)): what is not allowed is only logged.
	Permissive bool
}

// Decide is Allowed, with the two reasons apart.
func (k Kernel) Decide(source, target, class, perm string) (Decision, error) {
	d, err := k.decide(source, target, class, perm)
	if err != nil {
		return Decision{}, fmt.Errorf("may %s %s %s:%s: %w", source, perm, target, class, err)
	}
	return d, nil
}

func (k Kernel) decide(source, target, class, perm string) (d Decision, err error) {
	dir, err := k.kernel()
	if err != nil {
		return d, err
	}
	if !isClassName(class) || !isClassName(perm) {
		return d, fmt.Errorf("%w: no name of a class or permission", ErrUnknown)
	}
	index, err := k.number(dir, "class", class, "index")
	if err != nil {
		return d, err
	}
	bit, err := k.number(dir, "class", class, "perms", perm)
	if err != nil {
		return d, err
	}
	if bit < 1 || bit > 32 {
		return d, fmt.Errorf("%w: permission number %d", ErrUnknown, bit)
	}
	question, err := k.question(dir, source, target, index)
	if err != nil {
		return d, err
	}
	answer, err := k.transact(k.path(dir, "access"), question)
	if err != nil {
		return d, fmt.Errorf("%w: %w", ErrUnknown, err)
	}
	return parseDecision(answer, bit)
}

func (k Kernel) number(elem ...string) (uint64, error) {
	b, err := k.read(elem...)
	if err != nil {
		return 0, fmt.Errorf("%w: %w", ErrUnknown, err)
	}
	n, err := strconv.ParseUint(strings.TrimSpace(string(b)), 10, 16)
	if err != nil {
		return 0, fmt.Errorf("%w: %s: %q", ErrUnknown, strings.Join(elem, "/"), b)
	}
	return n, nil
}

// question is what the kernel's sel_write_access reads: two contexts and the class.
func (k Kernel) question(dir, source, target string, class uint64) (string, error) {
	subject, err := k.contextOf(dir, "system_u:system_r:", source)
	if err != nil {
		return "", err
	}
	object, err := k.objectContext(dir, target)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%s %s %d", subject, object, class), nil
}

func (k Kernel) objectContext(dir, typ string) (string, error) {
	return k.contextOf(dir, "system_u:object_r:", typ)
}

// contextOf makes a context of a type, and leaves one as it is.
func (k Kernel) contextOf(dir, prefix, c string) (string, error) {
	if policydb.IsTypeName(c) {
		level := ""
		if mls, err := k.number(dir, "mls"); err == nil && mls == 1 {
			level = ":s0"
		}
		return prefix + c + level, nil
	}
	if _, err := contextType(c); err != nil || strings.ContainsAny(c, " \t\n\x00") {
		return "", fmt.Errorf("%w: %q is neither a context nor a type", ErrUnknown, c)
	}
	return c, nil
}

// transact writes to a transaction file of selinuxfs and reads the answer through the same descriptor.
func (k Kernel) transact(file, question string) (string, error) {
	if k.Ask != nil {
		return k.Ask(file, question)
	}
	fd, err := unix.Open(file, unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return "", &os.PathError{Op: "open", Path: file, Err: err}
	}
	defer unix.Close(fd) //nolint:errcheck // nothing is buffered
	if _, err := unix.Write(fd, []byte(question)); err != nil {
		return "", &os.PathError{Op: "ask", Path: file, Err: err}
	}
	b := make([]byte, 4096)
	n, err := unix.Read(fd, b)
	if err != nil {
		return "", &os.PathError{Op: "read", Path: file, Err: err}
	}
	return string(b[:n]), nil
}

// parseDecision reads "allowed decided auditallow auditdeny seqno flags" (selinuxfs, sel_write_access): hexadecimal
// words, but for seqno. Flag 1 marks a permissive source.
func parseDecision(answer string, bit uint64) (d Decision, err error) {
	f := strings.Fields(strings.TrimRight(answer, "\x00"))
	if len(f) != 6 {
		return d, fmt.Errorf("%w: the kernel answers %q", ErrUnknown, answer)
	}
	allowed, err := strconv.ParseUint(f[0], 16, 32)
	if err != nil {
		return d, fmt.Errorf("%w: the kernel answers %q", ErrUnknown, answer)
	}
	flags, err := strconv.ParseUint(f[5], 16, 32)
	if err != nil {
		return d, fmt.Errorf("%w: the kernel answers %q", ErrUnknown, answer)
	}
	return Decision{Allowed: allowed>>(bit-1)&1 == 1, Permissive: flags&1 == 1}, nil
}

// MayBind says whether httpd_t, the domain of nginx, may listen on the tcp port under the loaded policy, and the port's
// type there. A port in net.ipv4.ip_local_port_range above 1023 is free for all: the kernel does not check its name
// (selinux_socket_bind).
func (k Kernel) MayBind(port int) (allowed bool, typ string, err error) {
	allowed, typ, err = k.mayHTTPD(port, "name_bind")
	if err == nil && !allowed && k.localRange(port) {
		allowed = true
	}
	return allowed, typ, err
}

// MayConnect says whether httpd_t may connect to the tcp port under the loaded policy, and the port's type there.
func (k Kernel) MayConnect(port int) (allowed bool, typ string, err error) {
	return k.mayHTTPD(port, "name_connect")
}

func (k Kernel) mayHTTPD(port int, perm string) (bool, string, error) {
	if port < 1 || port > 65535 {
		return false, "", fmt.Errorf("port tcp/%d: not a tcp port", port)
	}
	p, err := k.runningPolicy(context.Background())
	if err != nil {
		return false, "", fmt.Errorf("port tcp/%d: %w", port, err)
	}
	typ := p.PortType("tcp", port)
	allowed, err := k.Allowed("httpd_t", typ, "tcp_socket", perm)
	return allowed, typ, err
}

func (k Kernel) localRange(port int) bool {
	b, err := k.read("/proc/sys/net/ipv4/ip_local_port_range")
	if err != nil {
		return false
	}
	f := strings.Fields(string(b))
	if len(f) != 2 {
		return false
	}
	low, errLow := policydb.PortNumber(f[0])
	high, errHigh := policydb.PortNumber(f[1])
	return errLow == nil && errHigh == nil && port >= 1024 && low <= port && port <= high
}
