package selinux

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"wsprovision/selinux/policydb"
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
			again, err := parsePortcon("portcon " + p.Proto + " " + p.Numbers() + " u:r:" + p.Type + ":s0")
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

// The shortcuts (stem, fixed beginning) decide as the plain expression does, as libselinux would without them.
func FuzzFileSpec(f *testing.F) {
	for _, s := range [][2]string{
		{"/etc/nginx(/.*)?", "/etc/nginx/a"}, {"/a?quota", "/quota"}, {"/etc/a|b", "/etc/a"}, {`/x/\.y`, "/x/.y"},
		{"/.*", "/"}, {"/a/b{0,1}c", "/a/c"},
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

// Substitutions are read back as they were understood, and the last line that names a beginning of the path, by whole
// components, wins.
func FuzzSubstitutions(f *testing.F) {
	f.Add(testdata(f, "file_contexts.subs_dist"), "/run/nginx.pid")
	f.Fuzz(func(t *testing.T, text, path string) {
		list := parseSubstitutions(text)
		written, want := "", path
		for _, s := range slices.Backward(list) { // as they stand in the file
			written += s.from + " " + s.to + "\n"
			switch {
			case path == s.from:
				want = s.to
			case strings.HasPrefix(path, s.from+"/") && s.to == "/":
				want = path[len(s.from):]
			case strings.HasPrefix(path, s.from+"/"):
				want = s.to + path[len(s.from):]
			}
		}
		if again := parseSubstitutions(written); !slices.Equal(again, list) {
			t.Errorf("%q was read back as %q", list, again)
		}
		if got := applySubstitutions(list, path); got != want {
			t.Errorf("%q became %q by %q, want %q", path, got, list, want)
		}
	})
}

func FuzzPolicy(f *testing.F) {
	for _, version := range []string{"24", "31", "33"} {
		f.Add([]byte(testdata(f, "policy."+version)))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := policydb.ReadPolicy(bytes.NewReader(b))
		if err != nil {
			return
		}
		for _, port := range p.Ports {
			if port.Low < 0 || port.Low > port.High || port.High > 65535 || port.Type == "" ||
				!policydb.KnownProtocol(port.Proto) {
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
			if !policyName().MatchString(c.policy) ||
				!slices.Contains([]Mode{Enforcing, Permissive, Disabled, ""}, c.mode) {
				t.Errorf("accepted %+v", c)
			}
		}
		if root, err := parseStoreRoot(semanage); err == nil && root != "" && root[0] != '/' {
			t.Errorf("accepted store-root %q", root)
		}
	})
}

// The mount on top is the last one, and the first holder is named, whatever stands around them.
func FuzzProc(f *testing.F) {
	f.Add("selinuxfs /sys/fs/selinux selinuxfs rw,relatime 0 0\n", "1: FLOCK  ADVISORY  WRITE 708 fd:00:13245 0 EOF\n")
	f.Fuzz(func(t *testing.T, mounts, locks string) {
		dir, rw := parseMounts(mounts)
		if rw && dir == "" || dir != "" && !slices.Contains(strings.Fields(mounts), dir) {
			t.Errorf("%q: mounted on %q, rw %v", mounts, dir, rw)
		}
		for options, want := range map[string]bool{"rw": true, "rw,seclabel": true, "ro": false, "ro,rw": false} {
			if dir, rw := parseMounts(mounts + "\nnone /on/top selinuxfs " + options + " 0 0\n"); dir != "/on/top" ||
				rw != want {
				t.Errorf("%q: mounted with %s on top, and found on %q, rw %v", mounts, options, dir, rw)
			}
		}
		const file = "fd:00:13245"
		pid := parseLocks(locks, file)
		if pid < 0 || pid > 0 && !slices.Contains(strings.Fields(locks), file) {
			t.Errorf("%q: pid %d", locks, pid)
		}
		if waits := parseLocks("1: -> FLOCK  ADVISORY  WRITE 99 "+file+" 0 EOF\n"+locks, file); waits != pid {
			t.Errorf("%q: one that waits makes it %d, not %d", locks, waits, pid)
		}
		if first := parseLocks("1: FLOCK  ADVISORY  WRITE 708 "+file+" 0 EOF\n"+locks, file); first != 708 {
			t.Errorf("%q: the first holder is %d, not 708", locks, first)
		}
	})
}

// The kernel's own answer is understood for every bit; of any other text something is understood only where it has six
// words.
func FuzzDecision(f *testing.F) {
	f.Add("1000000 ffffffff 0 ffffffff 3 0", uint32(1<<24), uint32(0), uint8(25))
	f.Fuzz(func(t *testing.T, answer string, allowed, flags uint32, bit uint8) {
		n := uint64(bit%32) + 1
		kernel := fmt.Sprintf("%x %x %x %x %d %x", allowed, ^uint32(0), 0, ^uint32(0), bit, flags)
		want := Decision{allowed&(1<<(n-1)) != 0, flags&1 != 0}
		if got, err := parseDecision(kernel, n); err != nil || got != want {
			t.Errorf("bit %d of %q: %v, %v, want %v", n, kernel, got, err, want)
		}
		got, err := parseDecision(answer, n)
		words := strings.Fields(strings.TrimRight(answer, "\x00"))
		if got != (Decision{}) && err != nil || err == nil && len(words) != 6 ||
			err != nil && !errors.Is(err, ErrUnknown) {
			t.Errorf("%q: %+v, %v", answer, got, err)
		}
	})
}
