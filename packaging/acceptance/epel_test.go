//go:build acceptance

package acceptance

import (
	"strings"
	"testing"
	"time"

	"wsprovision/packaging/acceptance/vm"
)

// signedEPEL are the options with which the agent takes EPEL by itself, from hosts that the machine answers for.
func signedEPEL(t testing.TB) string {
	t.Helper()
	options, err := machines.image.SignedEPEL()
	if err != nil {
		t.Fatal(err)
	}
	return "--epel-source auto" + options
}

func (m *machine) answer(t testing.TB, e vm.EPEL) {
	t.Helper()
	if err := m.Answer(e); err != nil {
		t.Fatal(err)
	}
}

// packagesAndSources print what the tutorial and the agent are to leave alike: what rpm has but for us, its keys too,
// and where yum looks.
const packagesAndSources = "rpm -qa | grep -v ^wsprovision | sort; find /etc/yum.repos.d /etc/pki/rpm-gpg " +
	"/run/wsprovision-yum -type f 2>/dev/null | xargs sha256sum | sort"

// says requires all of it in a text.
func says(t testing.TB, what, text string, wants ...string) {
	t.Helper()
	for _, want := range wants {
		if !strings.Contains(text, want) {
			t.Errorf("%s does not say %q:\n%s", what, want, text)
		}
	}
}

// installs are the runs of yum in a log that install something.
func installs(log string) (all []string) {
	for line := range strings.Lines(log) {
		if _, what, ok := strings.Cut(line, "run yum "); ok && strings.Contains(what, " install ") {
			all = append(all, strings.TrimSpace(what))
		}
	}
	return all
}

// The sources of auto on a host without EPEL, or with one that is of no use as it is. TestBareHost has the mirrors.
func TestAuto(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		test func(testing.TB, *machine)
	}{{"only the archive answers", onlyTheArchive}, {"nobody answers", nobodyAnswers},
		{long + "nobody says a word", nobodySpeaks}, {"an EPEL that is disabled", disabledEPEL},
		{"exclude= and includepkgs=", excluded}} {
		runRow(t, c.name, func(t *testing.T) { c.test(t, start(t, unpackaged)) })
	}
}

// epel-release does not come: its own file names the mirrors, which would stop every later yum. The archive's file
// stays.
func onlyTheArchive(t testing.TB, m *machine) {
	m.answer(t, vm.EPEL{Mirrors: vm.Refuses, Archive: vm.Answers})
	flags := signedEPEL(t)
	plan := m.must(t, "wsprovision plan "+siteFlags+" "+flags)
	says(t, "plan", plan, "archives.fedoraproject.org (EPEL 7's archive; its repository file then stays, and "+
		"epel-release does not come)")
	r, res := m.apply(t, 0, flags)
	const file = "/etc/yum.repos.d/wsprovision-epel.repo"
	_, text := r.step("repository")
	says(t, "the report or the log", text+res.output, "mirrors.fedoraproject.org", "connection refused",
		"its archive answers: "+file+" stays with it, and epel-release does not come")
	const archive = "https://archives.fedoraproject.org/pub/archive/epel/7/$basearch/"
	m.prints(t, map[string]string{
		"rpm -q nginx policycoreutils-python >/dev/null; rpm -q epel-release || :": "package epel-release is not " +
			"installed",
		"grep ^baseurl= " + file:                                         "baseurl=" + archive,
		"ls /run/wsprovision-yum 2>/dev/null || :":                       "",
		"restorecon -nRv /etc/yum.repos.d /etc/pki/rpm-gpg":              "",
		"yum clean all >/dev/null; yum -q makecache >/dev/null; echo $?": "0",
	})
	m.upgraded(t)
	if _, res := m.apply(t, 0, flags+" --detailed-exitcode --verbose"); len(installs(res.output)) > 0 {
		t.Errorf("the second run asked yum:\n%s", res.output)
	}
	m.must(t, "wsprovision revert --packages")
	m.prints(t, map[string]string{"rpm -q nginx policycoreutils-python | grep -c 'not installed'; ls " + file +
		" 2>/dev/null || :": "2"})
}

func nobodyAnswers(t testing.TB, m *machine) {
	m.answer(t, vm.EPEL{Mirrors: vm.Refuses, Archive: vm.Refuses})
	m.lacksEPEL(t, "connection refused")
}

func nobodySpeaks(t testing.TB, m *machine) {
	m.answer(t, vm.EPEL{Mirrors: vm.Silent, Archive: vm.Silent})
	m.lacksEPEL(t, "TLS handshake timeout")
}

// lacksEPEL requires one error that names both hosts, what became of them, and what else there is; in a minute.
func (m *machine) lacksEPEL(t testing.TB, why string) {
	t.Helper()
	check := m.untouched(t, packagesAndSources)
	began := time.Now()
	r, res := m.apply(t, 1, signedEPEL(t)+" --verbose")
	if took := time.Since(began); took > 2*time.Minute { // 60 s of waiting, and what else an emulated machine takes
		t.Errorf("the run took %v", took)
	}
	_, text := r.step("packages")
	says(t, "the report", text, "EPEL 7 cannot be had. Its mirrors: fetch https://mirrors.fedoraproject.org/", why,
		"Its archive: fetch https://archives.fedoraproject.org/", "set epel.source to mirror", "to package",
		"to repository", "to none")
	if n := strings.Count(text, why); n != 2 {
		t.Errorf("the report says %q %d times, want of each host:\n%s", why, n, text)
	}
	if yums := installs(res.output); len(yums) > 0 {
		t.Errorf("yum was run: %q", yums)
	}
	check()
}

// disabledEPEL: the host's own is enabled for one run of yum, and nobody else is asked. It stays disabled.
func disabledEPEL(t testing.TB, m *machine) {
	m.must(t, "yum -y install epel-release && sed -i s/^enabled=1/enabled=0/ /etc/yum.repos.d/epel.repo")
	check := m.untouched(t, "sha256sum /etc/yum.repos.d/*")
	plan := m.must(t, "wsprovision plan --epel-source auto "+siteFlags)
	says(t, "plan", plan, "repository epel of /etc/yum.repos.d/epel.repo is disabled: it is enabled for this one run "+
		"of yum")
	if strings.Contains(plan, "fedoraproject") {
		t.Errorf("plan would contact EPEL's hosts:\n%s", plan)
	}
	_, res := m.apply(t, 0, "--epel-source auto --verbose")
	if yums := installs(res.output); len(yums) != 1 || !strings.Contains(yums[0], "--enablerepo=epel") {
		t.Errorf("runs of yum: %q, want one with the repository enabled", yums)
	}
	m.upgraded(t)
	check()
}

// excluded: what hides nginx is told by plan and apply, before yum is asked. The host's file is as in the row before.
func excluded(t testing.TB, m *machine) {
	m.must(t, "yum -y install epel-release")
	for _, c := range []struct{ line, file, says string }{
		{"[main]/a exclude=kernel* nginx*", "/etc/dnf/dnf.conf", "exclude=nginx* of [main] in /etc/yum.conf:"},
		{"[epel]/a exclude=nginx", "/etc/yum.repos.d/epel.repo",
			"exclude=nginx of [epel] in /etc/yum.repos.d/epel.repo:"},
		{"[epel]/a includepkgs=htop", "/etc/yum.repos.d/epel.repo",
			"includepkgs= of [epel] in /etc/yum.repos.d/epel.repo:2 does not name nginx"},
	} {
		m.must(t, "cp "+c.file+" /root/right && sed -i '/^"+strings.Replace(c.line, "[", `\[`, 1)+"' "+c.file)
		check := m.untouched(t, packagesAndSources)
		if out, _ := m.run("wsprovision plan --epel-source auto " + siteFlags); !strings.Contains(out, c.says) {
			t.Errorf("plan does not say %q:\n%s", c.says, out)
		}
		_, res := m.apply(t, 1, "--epel-source auto --verbose")
		says(t, "the report", res.output, "yum would not see what it is to bring: ", c.says)
		if yums := installs(res.output); len(yums) > 0 {
			t.Errorf("yum was run: %q", yums)
		}
		check()
		m.must(t, "cat /root/right >"+c.file)
	}
}
