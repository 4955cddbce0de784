package cause

import "strings"

// Code names a cause. It is stable: scripts and runbooks refer to it, and the
// manual page documents each. A code is never renamed; new ones may come.
type Code string

// The causes, by where they lie.
const (
	// The backend.
	BackendNotRunning   Code = "backend-not-running"
	BackendIPv6Only     Code = "backend-ipv6-only"
	BackendIPv4Only     Code = "backend-ipv4-only"
	BackendUnreachable  Code = "backend-unreachable"
	BackendNotAnswering Code = "backend-not-answering"
	BackendRefused      Code = "backend-refused"
	BackendClosesIdle   Code = "backend-closes-idle"
	BackendNoEcho       Code = "backend-does-not-echo"
	BackendCutsMessage  Code = "backend-cuts-connection"
	BackendSocketDenied Code = "backend-socket-denied"
	OriginRefused       Code = "origin-refused"
	PathNotFound        Code = "path-not-found"
	NotAWebSocket       Code = "not-a-websocket"

	// SELinux.
	SELinuxNameConnect Code = "selinux-name-connect-denied"
	SELinuxWouldDeny   Code = "selinux-would-deny"
	BackendLabelTaken  Code = "backend-label-taken"
	SELinuxDenied      Code = "selinux-denied"

	// What nginx's configuration says.
	UpstreamUnresolved   Code = "upstream-name-unresolved"
	UpgradeHeaderMissing Code = "upgrade-header-missing"
	UpstreamHTTP10       Code = "upstream-http-1.0"
	ProxyReadTimeout     Code = "proxy-read-timeout"
	ProxyPassSlash       Code = "proxy-pass-slash"
	ForbiddenByNginx     Code = "forbidden-by-nginx"
	ShadowedServerName   Code = "shadowed-server-name"
	ShadowedDefault      Code = "shadowed-default-server"
	ShadowedListen       Code = "shadowed-listen-address"
	ListenerIPv6Only     Code = "listener-ipv6-only"
	ListenerIPv4Only     Code = "listener-ipv4-only"
	ListenerMissing      Code = "listener-missing"
	NotIncluded          Code = "not-included"
	NginxConfigInvalid   Code = "nginx-config-invalid"
	OtherHostReaches     Code = "other-host-reaches-site"
	UpgradedUnasked      Code = "upgraded-without-header"
	NotAsExpected        Code = "not-as-expected"

	HostRefused   Code = "host-refused"
	FieldRefused  Code = "field-refused"
	PathRewritten Code = "path-rewritten"

	PassedWithoutUpgrade Code = "passed-without-upgrade"
	BackendSpeaksNoTLS   Code = "backend-speaks-no-tls"
	BackendWantsTLS      Code = "backend-wants-tls"
	BackendTLSRefused    Code = "backend-tls-refused"
	BackendHeaderTooBig  Code = "backend-header-too-big"
	ProxyProtocolWanted  Code = "proxy-protocol-wanted"

	// What nginx answers by itself.
	RedirectedByNginx       Code = "redirected-by-nginx"
	PasswordWanted          Code = "password-wanted-by-nginx"
	LimitedByNginx          Code = "limited-by-nginx"
	AnsweredByNginx         Code = "answered-by-nginx"
	TLSWanted               Code = "tls-wanted-by-nginx"
	ClientCertificateWanted Code = "client-certificate-wanted"

	// What nginx does.
	NginxNotRunning  Code = "nginx-not-running"
	NginxBindInUse   Code = "nginx-bind-in-use"
	NginxBindDenied  Code = "nginx-bind-denied"
	NginxOlder       Code = "nginx-older-configuration"
	NginxOther       Code = "nginx-other-configuration"
	NginxHangs       Code = "nginx-not-answering"
	ConnectionsSpent Code = "connections-exhausted"

	// The host and the network.
	PortsExhausted     Code = "ports-exhausted"
	AddressFamilyOff   Code = "address-family-off"
	OpenFilesSpent     Code = "open-files-exhausted"
	DiskFull           Code = "disk-full"
	FirewalldClosed    Code = "firewalld-closed"
	NameUnresolved     Code = "name-unresolved"
	AddressRefuses     Code = "address-refuses"
	AddressUnreachable Code = "address-unreachable"

	// TLS.
	CertificateExpired       Code = "certificate-expired"
	CertificateExpiresSoon   Code = "certificate-expires-soon"
	CertificateChainOrder    Code = "certificate-chain-order"
	CertificateWrongName     Code = "certificate-wrong-name"
	CertificateUntrusted     Code = "certificate-untrusted"
	CertificateUnreadable    Code = "certificate-unreadable"
	CertificateKeyUnreadable Code = "certificate-key-unreadable"
	CertificateKeyMismatch   Code = "certificate-key-mismatch"
	TLSNotSpoken             Code = "tls-not-spoken"
	TLSRefused               Code = "tls-refused"

	Unexplained Code = "unexplained"
)

// Diagnosis is why one WebSocket did not come about: the one cause that the
// evidence points to.
type Diagnosis struct {
	Code Code `json:"code"`
	// Cause is one sentence without a full stop.
	Cause string `json:"cause"`
	// Evidence is what was read: log lines, denials, lines of a configuration.
	Evidence []string `json:"evidence,omitempty"`
	// Mend is the command that mends it, or what to do where no command does.
	Mend Mend `json:"mend,omitzero"`
}

// String is the form for one line of an error.
func (d Diagnosis) String() string {
	s := d.Cause + " (" + string(d.Code) + ")"
	if !d.Mend.IsZero() {
		s += "; to mend it: " + d.Mend.String()
	}
	return s
}

// New is a diagnosis with what was read; empty lines of it are left out.
func New(code Code, why string, mend Mend, evidence ...string) *Diagnosis {
	d := &Diagnosis{Code: code, Cause: why, Mend: mend}
	for _, e := range evidence {
		if e = strings.TrimSpace(e); e != "" {
			d.Evidence = append(d.Evidence, e)
		}
	}
	return d
}
