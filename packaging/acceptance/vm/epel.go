package vm

import (
	_ "embed"
	"fmt"
)

// EPEL says how EPEL 7's two hosts behave towards the machine, which reaches nobody: Answers, Silent or Refuses.
type EPEL struct{ Mirrors, Archive string }

const (
	Answers = "answers"
	Silent  = "silent"
	Refuses = "refuses"
)

//go:embed epel.py
var epelHosts []byte

// answer puts an authority into the machine's bundles, the agent's (update-ca-trust(8)) and that of Debian's curl, and
// the hosts into /etc/hosts. The unit is enabled, so that they answer after a power cut too; it is up before it
// listens.
const answer = `set -e
for bundle in /etc/pki/tls/certs/ca-bundle.crt /etc/ssl/certs/ca-certificates.crt; do
	mkdir -p ${bundle%%/*}
	cat /root/epel/authority.pem >>$bundle
done
printf '127.0.0.2 mirrors.fedoraproject.org\n127.0.0.3 archives.fedoraproject.org\n' >>/etc/hosts
cat >/etc/systemd/system/epel-hosts.service <<'END'
[Service]
ExecStart=/usr/bin/python3 /root/epel/epel.py /root/epel/certificate.pem %s %s
[Install]
WantedBy=multi-user.target
END
systemctl daemon-reload
systemctl -q enable --now epel-hosts
for i in $(seq 100); do journalctl -o cat -u epel-hosts | grep -qx listening && exit; sleep 0.1; done
journalctl -u epel-hosts
exit 1`

// EPELKey is where Answer puts the key that has signed the packages which EPEL 7's hosts have on the machine.
const EPELKey = "/root/epel/RPM-GPG-KEY-EPEL-7"

// Answer has the machine itself answer for EPEL 7's hosts, over TLS. The agent's own key of EPEL 7 is the real one: it
// has to be told of the key of these packages: SignedEPEL has the options.
func (m *Machine) Answer(e EPEL) error {
	authority, certificate, err := certificates("mirrors.fedoraproject.org", "archives.fedoraproject.org")
	if err != nil {
		return err
	}
	key, err := m.Image.Key("epel")
	if err != nil {
		return err
	}
	for path, content := range map[string][]byte{"/root/epel/authority.pem": authority, EPELKey: key,
		"/root/epel/certificate.pem": certificate, "/root/epel/epel.py": epelHosts} {
		if err := m.Put(path, content, 0o600); err != nil {
			return err
		}
	}
	if r := m.Try(fmt.Sprintf(answer, e.Mirrors, e.Archive), nil); r.Status != 0 {
		return fmt.Errorf("answer for EPEL's hosts on the machine: exit status %d: %s", r.Status, r.Output)
	}
	return nil
}

// Configured has the machine answer for EPEL 7's mirrors, and tells the agent of their key in its file: commands need
// no options of EPEL's then.
func (m *Machine) Configured() error {
	if err := m.Answer(EPEL{Mirrors: Answers, Archive: Refuses}); err != nil {
		return err
	}
	fingerprint, err := m.Image.Fingerprint("epel")
	if err != nil {
		return err
	}
	text := fmt.Sprintf("epel: {gpgkey: %s, fingerprint: %s}", EPELKey, fingerprint)
	if r := m.Try("mkdir -p /etc/wsprovision && echo "+Quote(text)+" >>/etc/wsprovision/wsprovision.yaml",
		nil); r.Status != 0 {
		return fmt.Errorf("tell the agent of EPEL's key: exit status %d: %s", r.Status, r.Output)
	}
	return nil
}

// SignedEPEL are the agent's options that name the key which Answer puts on the machine.
func (i Image) SignedEPEL() (string, error) {
	fingerprint, err := i.Fingerprint("epel")
	return " --epel-gpgkey " + EPELKey + " --epel-fingerprint " + fingerprint, err
}
