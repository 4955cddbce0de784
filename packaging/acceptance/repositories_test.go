//go:build acceptance

package acceptance

import (
	"strings"
	"testing"
)

// lyingYum puts yum 3.4.3's answer to a name that it does not have around the real program: exit status 0, and a line
// on stdout.
const lyingYum = `mv /usr/bin/yum /usr/bin/yum.real && cat >/usr/bin/yum <<'END' && chmod 755 /usr/bin/yum
#!/bin/bash
names=()
for word; do
	if [ "$word" = policycoreutils-python ]; then
		echo "No package policycoreutils-python available."
	else
		names+=("$word")
	fi
done
/usr/bin/yum.real "${names[@]}"
exit 0
END`

// Where a package cannot be had, the run fails with the reason and what to do; what does not need it is not touched
// either.
func TestRepositories(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, prepare string
		says, lacks   []string
		mend          string
	}{
		{"one of two packages missing",
			"sed -i.right '/^\\[extras\\]/a exclude=policycoreutils-python' /etc/yum.repos.d/CentOS-Base.repo",
			[]string{"nginx, policycoreutils-python are not installed",
				"exclude=policycoreutils-python of [extras] in /etc/yum.repos.d/CentOS-Base.repo:2"}, nil,
			"mv /etc/yum.repos.d/CentOS-Base.repo.right /etc/yum.repos.d/CentOS-Base.repo"},
		{"yum 3.4.3 that lies about it", lyingYum, []string{"policycoreutils-python is not installed"}, nil,
			"mv /usr/bin/yum.real /usr/bin/yum"},
		{long + "wrong key", "yum -y install epel-release && sed -i.right s,/epel/,/stranger/, " +
			"/etc/yum.repos.d/epel.repo",
			[]string{"key"}, nil, "mv /etc/yum.repos.d/epel.repo.right /etc/yum.repos.d/epel.repo; yum clean all"},
		{"unsigned package", "yum -y install epel-release && sed -i.right s,/epel/,/unsigned/, " +
			"/etc/yum.repos.d/epel.repo",
			[]string{"sign"}, nil, "mv /etc/yum.repos.d/epel.repo.right /etc/yum.repos.d/epel.repo; yum clean all"},
		{long + "repository down", "systemctl stop mirror", []string{"repositor"}, nil, "systemctl start mirror"},
		// yum says of EPEL's key that it is "not installed" in the same run: it is about to import it.
		{"the mirror loses one package on the first install", "mv /srv/mirror/epel/nginx-filesystem-*.rpm /root/",
			[]string{"1:nginx-filesystem-1.20.1-10.el7.noarch: [Errno 256] No more mirrors to try.", "HTTP Error 404",
				"the mirror has not got what its own index names", "trying again in 5s (2 of 3)",
				"trying again in 10s (3 of 3)"},
			[]string{"rpm --import"}, "mv /root/nginx-filesystem-*.rpm /srv/mirror/epel/"},
	} {
		runRow(t, c.name, func(t *testing.T) {
			m := start(t, unpackaged)
			m.must(t, c.prepare)
			r, res := m.apply(t, 1, "")
			for _, says := range c.says {
				if !strings.Contains(res.output, says) {
					t.Errorf("neither the report nor the log says %q:\n%s", says, res.output)
				}
			}
			for _, lacks := range c.lacks {
				if strings.Contains(res.output, lacks) {
					t.Errorf("the report or the log says %q:\n%s", lacks, res.output)
				}
			}
			if status, _ := r.step("server-block"); status != "skipped" {
				t.Errorf("server-block: %s, want skipped", status)
			}
			m.must(t, c.mend)
			m.apply(t, 0, "")
			m.upgraded(t)
		})
	}
}

// The other sources of EPEL: a mirror written by the agent, and the release package from a URL, each with a pinned key.
func TestSources(t *testing.T) {
	t.Parallel()
	fingerprint, err := machines.image.Fingerprint("epel")
	if err != nil {
		t.Fatal(err)
	}
	extras, err := machines.image.Fingerprint("extras")
	if err != nil {
		t.Fatal(err)
	}
	const key = "/root/epel.key"
	for _, c := range []struct{ name, prepare, flags string }{
		{"mirror", "epel", "--epel-source mirror --epel-baseurl http://127.0.0.1:8600/epel/ --epel-gpgkey " + key +
			" --epel-fingerprint " + fingerprint},
		{"package", "extras", "--epel-source package --epel-package " +
			"http://127.0.0.1:8600/extras/epel-release-7-14.noarch.rpm --epel-gpgkey " + key + " --epel-fingerprint " +
			extras},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := start(t, unpackaged)
			put := func(name string) {
				m.put(t, key, readFile(t, machines.image.Path("keys", name+".asc")), 0o644)
			}
			put("stranger")
			check := m.untouched(t, "rpm -qa | sort; ls /etc/yum.repos.d /etc/pki/rpm-gpg")
			if _, res := m.apply(t, 1, c.flags); !strings.Contains(res.stdout, "fingerprint") {
				t.Errorf("a stranger's key is refused without a word of its fingerprint:\n%s", res.output)
			}
			check()
			put(c.prepare)
			if c.name == "package" {
				m.otherPackage(t, c.flags)
				check()
			}
			m.apply(t, 0, c.flags)
			m.upgraded(t)
			if _, res := m.apply(t, 0, c.flags+" --detailed-exitcode"); res.status != 0 {
				t.Errorf("second run: exit status %d", res.status)
			}
		})
	}
}

// otherPackage offers a package that is not epel-release, signed by the same key and served under its name. The right
// one is named in the plan.
func (m *machine) otherPackage(t *testing.T, flags string) {
	t.Helper()
	other := m.must(t, "basename /srv/mirror/extras/policycoreutils-python-*.rpm .rpm")
	const served = "/srv/mirror/extras/epel-release-7-15.noarch.rpm"
	m.must(t, "cp /srv/mirror/extras/"+other+".rpm "+served)
	_, res := m.apply(t, 1, strings.Replace(flags, "7-14", "7-15", 1))
	if !strings.Contains(res.stdout, "it is "+other+", and only epel-release is taken from there") {
		t.Errorf("another package under the name of epel-release:\n%s", res.output)
	}
	m.must(t, "rm "+served)
	res = m.try("wsprovision plan "+siteFlags+" "+flags, nil)
	if !strings.Contains(res.stdout, "epel-release-7-14.noarch") {
		t.Errorf("the plan does not name the release package:\n%s", res.output)
	}
}
