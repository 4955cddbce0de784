package selinux

import (
	"bytes"
	"regexp"
	"slices"
	"testing"
)

// Whatever is accepted can be written again as it was understood.
func FuzzLocalPorts(f *testing.F) {
	f.Add(testdata(f, "rhel7-1.ports.local"))
	f.Add("portcon udp 1-2 u:r:t\nportcon tcp 1 - 2 - 3 u:r:t:s0\n")
	f.Fuzz(func(t *testing.T, text string) {
		ports, err := parseLocalPorts(text)
		if err != nil {
			return
		}
		for _, p := range ports {
			again, err := parsePortcon("portcon " + p.Proto + " " + p.numbers() + " u:r:" + p.Type + ":s0")
			if err != nil || again != p {
				t.Errorf("%v was read back as %v, %v", p, again, err)
			}
		}
	})
}

func FuzzLocalBooleans(f *testing.F) {
	f.Add(testdata(f, "rhel7-1.booleans.local"))
	f.Add("a = TRUE\nb=0 \n#c=1\n=1\n")
	f.Fuzz(func(t *testing.T, text string) {
		records, err := parseLocalBooleans(text)
		for name := range records {
			if err != nil || SetBoolean(name, true).check() != nil {
				t.Errorf("%q, %v", name, err)
			}
		}
	})
}

func FuzzPortList(f *testing.F) {
	f.Add(testdata(f, "semanage-port-l.stdout"))
	f.Fuzz(func(t *testing.T, text string) {
		ports, err := parsePortList(text)
		if (err == nil) != (len(ports) > 0) {
			t.Errorf("%d ports, %v", len(ports), err)
		}
		for _, p := range ports {
			if p.Low < 0 || p.Low > p.High || p.High > 65535 || !typeName.MatchString(p.Type) {
				t.Errorf("accepted %+v", p)
			}
		}
	})
}

func FuzzBooleanList(f *testing.F) {
	f.Add(testdata(f, "semanage-boolean-l.stdout"))
	f.Fuzz(func(t *testing.T, text string) {
		booleans, err := parseBooleanList(text)
		if (err == nil) != (len(booleans) > 0) {
			t.Errorf("%d booleans, %v", len(booleans), err)
		}
	})
}

// The shortcuts (stem, fixed beginning) decide as the plain expression does, as libselinux would without them.
func FuzzFileSpec(f *testing.F) {
	for _, s := range [][2]string{
		{"/etc/nginx(/.*)?", "/etc/nginx/a"}, {"/a?quota", "/quota"}, {"/etc/a|b", "/etc/a"}, {`/x/\.y`, "/x/.y"}, {"/.*", "/"}, {"/a/b{0,1}c", "/a/c"},
		{"/etc/[a|b]c", "/etc/|c"}, {"/var/(a|b)*|c", "/var/c"},
	} {
		f.Add(s[0], s[1])
	}
	f.Fuzz(func(t *testing.T, spec, path string) {
		if spec == "" || path == "" || path[0] != '/' || bytes.ContainsAny([]byte(spec), " \t\r\n\v\f") {
			return
		}
		m := matcher{path: []byte(path), stem: pathStem(path), kind: '-'}
		got, err := newSpec([]byte(spec)).matches(&m)
		n := specStem([]byte(spec))
		re, plainErr := regexp.Compile("(?s)^" + spec[n:] + "$")
		if plainErr != nil {
			return // whether it is an error or no match, a path that cannot match may get the simpler answer
		}
		want := len(path) >= n && spec[:n] == path[:n] && (n == 0 || n == m.stem) && re.MatchString(path[n:])
		if err != nil || got != want {
			t.Errorf("%q matches %q: %v, %v, want %v", spec, path, got, err, want)
		}
	})
}

func FuzzFileContexts(f *testing.F) {
	f.Add([]byte(testdata(f, "file_contexts")), "/etc/nginx/x")
	f.Fuzz(func(t *testing.T, text []byte, path string) {
		ms := []matcher{{path: []byte(path), stem: pathStem(path), kind: '-'}, {path: []byte("/etc"), kind: 'd'}}
		m := &ms[0]
		if read(bytes.NewReader(text), ms) == nil && m.label() != "" && !bytes.Contains(text, []byte(m.label())) {
			t.Errorf("label %q is not in the file", m.label())
		}
	})
}

func FuzzSubstitutions(f *testing.F) {
	f.Add(testdata(f, "file_contexts.subs_dist"), "/run/nginx.pid")
	f.Fuzz(func(t *testing.T, text, path string) {
		list := parseSubstitutions(text)
		if got := applySubstitutions(list, path); got != path && len(list) == 0 {
			t.Errorf("%q became %q", path, got)
		}
	})
}

func FuzzPolicy(f *testing.F) {
	for _, version := range []string{"24", "31", "33"} {
		f.Add([]byte(testdata(f, "policy."+version)))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := readPolicy(bytes.NewReader(b))
		if err != nil {
			return
		}
		for _, port := range p.ports {
			if port.Low < 0 || port.Low > port.High || port.High > 65535 || port.Type == "" || !knownProtocol(port.Proto) {
				t.Errorf("accepted %+v", port)
			}
		}
	})
}

func FuzzRunningBoolean(f *testing.F) {
	for _, s := range []string{"1 1", "0 1", "1 1\n", "", "2 2", "1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if got := parseRunning(text); got != Unknown && (len(text) < 3 || (got == On) != (text[0] == '1')) {
			t.Errorf("%q is %s", text, got)
		}
	})
}

func FuzzConfig(f *testing.F) {
	f.Add("SELINUX=enforcing\nSELINUXTYPE=targeted\n", "store-root = /etc/selinux\n")
	f.Fuzz(func(t *testing.T, text, semanage string) {
		if c, err := parseConfig(text); err == nil {
			if !policyName.MatchString(c.policy) || !slices.Contains([]Mode{Enforcing, Permissive, Disabled, ""}, c.mode) {
				t.Errorf("accepted %+v", c)
			}
		}
		if root, err := parseStoreRoot(semanage); err == nil && root != "" && root[0] != '/' {
			t.Errorf("accepted store-root %q", root)
		}
	})
}

func FuzzProc(f *testing.F) {
	f.Add("selinuxfs /sys/fs/selinux selinuxfs rw,relatime 0 0\n", "1: FLOCK  ADVISORY  WRITE 708 fd:00:13245 0 EOF\n")
	f.Fuzz(func(t *testing.T, mounts, locks string) {
		if dir, rw := parseMounts(mounts); rw && dir == "" {
			t.Errorf("%q: mounted nowhere", mounts)
		}
		if pid := parseLocks(locks, "fd:00:13245"); pid < 0 {
			t.Errorf("%q: pid %d", locks, pid)
		}
	})
}

func FuzzDecision(f *testing.F) {
	f.Add("1000000 ffffffff 0 ffffffff 3 0", uint8(25))
	f.Fuzz(func(t *testing.T, answer string, bit uint8) {
		if ok, err := parseDecision(answer, uint64(bit%32)+1); ok && err != nil {
			t.Errorf("%q: allowed with %v", answer, err)
		}
	})
}
