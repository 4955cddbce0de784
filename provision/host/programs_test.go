package host

import (
	"testing"

	"wsprovision/provision/plaintext"
)

func TestPrograms(t *testing.T) {
	for _, tt := range []struct {
		argv         []string
		known, reads bool
	}{
		{[]string{"rpm", "-q", "nginx"}, true, true},
		{[]string{"rpm", "-qa", "--qf", "x"}, true, true},
		{[]string{"rpm", "-qf", "--qf", "x", "/etc/x"}, true, true},
		{[]string{"rpm", "-qp", "--qf", "x", "/x.rpm"}, true, true},
		{[]string{"rpm", "-K", "-v", "/x.rpm"}, true, true},
		{[]string{"rpm", "--import", "/x"}, true, false},
		{[]string{"rpm", "-e", "nginx"}, true, false},
		{[]string{"rpm"}, true, false},
		{[]string{"yum", "-y", "install", "nginx"}, true, false},
		{[]string{"semanage", "port", "-l"}, true, false},
		{[]string{"semodule", "-B", "-n", "-s", "targeted"}, true, false},
		{[]string{"semanage", "import"}, true, false},
		{[]string{"setsebool", "x", "on"}, true, false},
		{[]string{"/usr/sbin/nginx", "-t", "-c", "/etc/nginx/nginx.conf"}, true, true},
		{[]string{"nginx", "-s", "reload"}, true, false},
		{[]string{"systemctl", "--root=/", "enable", "nginx.service"}, true, false},
		{[]string{"sh", "-c", "true"}, false, false},
		{[]string{"/tmp/rpmx", "-q"}, false, false},
	} {
		p, err := LookUp(tt.argv)
		if (err == nil) != tt.known || err == nil && p.OnlyReads(tt.argv[1:]) != tt.reads {
			t.Errorf("%q: known %v, reads %v; want %v, %v", tt.argv, err == nil, p.OnlyReads(tt.argv[1:]), tt.known,
				tt.reads)
		}
	}
	for _, p := range programs {
		if len(p.reads) > 0 != (p.reading > 0) || p.reading+p.changing <= 0 {
			t.Errorf("%s: deadlines %s, %s", p.name, p.reading, p.changing)
		}
	}
}

func TestQuote(t *testing.T) {
	for want, argv := range map[string][]string{
		"rpm -q nginx":               {"rpm", "-q", "nginx"},
		`rpm -q --qf '%{NAME}\n' ''`: {"rpm", "-q", "--qf", `%{NAME}\n`, ""},
		`x 'it'\''s'`:                {"x", "it's"},
		"x 'a b' 'ä'":                {"x", "a b", "ä"},
	} {
		if got := plaintext.Command(argv); got != want {
			t.Errorf("quote(%q) = %s, want %s", argv, got, want)
		}
	}
}
