//go:build acceptance

package acceptance

import (
	"testing"

	"wsprovision/packaging/acceptance/vm"
)

// state is a saved state of the machine that scenarios start from. It is made from another one when a machine is first
// asked for it.
type state struct {
	name string
	from *state
	make func(t testing.TB, m *machine)
}

var (
	// booted is a bare host: no nginx, no semanage, nothing of ours. image.sh made it.
	booted = &state{name: vm.Booted}
	// installed is a bare host with our RPM. From here on SELinux's mode is watched.
	installed = &state{name: "installed", from: booted, make: func(t testing.TB, m *machine) {
		installOurs(t, m)
		m.beginSampling(t)
	}}
	// packaged is a host that has our RPM and the packages that the agent would bring.
	packaged = &state{name: "packaged", from: installed, make: installPackages}
	// labelled is packaged, with the boolean and the label that the site needs: no policy has to be rebuilt, which
	// takes longest of all.
	labelled = &state{name: "labelled", from: packaged, make: func(t testing.TB, m *machine) {
		m.must(t, "printf 'boolean -m --on httpd_can_network_connect\\nport -a -t http_port_t -p tcp 3000\\n' | "+
			"semanage import")
	}}
	// unpackaged is labelled without the packages: yum has to bring all of them.
	unpackaged = &state{name: "unpackaged", from: labelled, make: func(t testing.TB, m *machine) {
		m.must(t, "rpm -e nginx nginx-filesystem policycoreutils-python epel-release && rpm -e $(rpm -q gpg-pubkey) "+
			"&& yum clean all && ! test -e /usr/sbin/nginx")
	}}
	// provisioned is a host on which the agent ran once, with the site of the tutorial.
	provisioned = &state{name: "provisioned", from: installed, make: func(t testing.TB, m *machine) {
		m.must(t, applyCommand)
	}}
)

// applyCommand is what the README tells the administrator to run.
const applyCommand = "wsprovision apply " + siteFlags

func installOurs(t testing.TB, m *machine) {
	t.Helper()
	if err := m.Install(dist); err != nil {
		t.Fatal(err)
	}
}

func installPackages(t testing.TB, m *machine) {
	t.Helper()
	m.must(t, "yum -y install epel-release && yum -y install nginx policycoreutils-python")
}

// dist is where "make rpm" leaves our package.
const dist = "../../dist"

// enter brings the machine into a state, making it and those before it if need be. A disk that no longer holds its
// snapshots, after a power cut at a bad moment, is replaced by a new copy of the image's.
func (m *machine) enter(t testing.TB, s *state) {
	t.Helper()
	if m.Has(s.name) {
		err := m.Restore(s.name)
		if err == nil {
			return
		}
		t.Logf("restore %s: %v; going back to the image's disk", s.name, err)
		if err := m.Reset(); err != nil {
			t.Fatal(err)
		}
	}
	if s.from == nil {
		m.restore(t, s.name)
		return
	}
	m.enter(t, s.from)
	s.make(t, m)
	m.save(t, s.name)
}
