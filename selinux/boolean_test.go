package selinux

import (
	"context"
	"errors"
	"testing"
)

func TestBoolean(t *testing.T) {
	const (
		name    = "httpd_can_network_connect"
		running = "sys/fs/selinux/booleans/" + name
		local   = "etc/selinux/targeted/active/booleans.local"
	)
	tests := map[string]struct {
		files   map[string]string
		offline bool
		want    Boolean
	}{
		"policy's default":         {nil, false, Boolean{name, Off, Off, Undefined}},
		"on now, not persistently": {map[string]string{running: "1 1"}, false, Boolean{name, On, Off, Undefined}},
		"persistently, not now":    {map[string]string{local: testdata(t, "rhel7-1.booleans.local")}, false, Boolean{name, Off, On, On}},
		"recorded off":             {map[string]string{running: "1 1", local: name + "=0\n"}, false, Boolean{name, On, Off, Off}},
		"pending is not running":   {map[string]string{running: "0 1"}, false, Boolean{name, Off, Off, Undefined}},
		"offline":                  {map[string]string{running: "1 1"}, true, Boolean{name, Unknown, Off, Undefined}},
		"SELinux off":              {map[string]string{"proc/self/mounts": ""}, false, Boolean{name, Unknown, Off, Undefined}},
		"noise in selinuxfs":       {map[string]string{running: "on"}, false, Boolean{name, Unknown, Off, Undefined}},
		"record of another":        {map[string]string{local: "zebra=true\n"}, false, Boolean{name, Off, Off, Undefined}},
	}
	for test, tt := range tests {
		t.Run(test, func(t *testing.T) {
			h := rhel7(t, tt.files)
			h.Offline = tt.offline
			got, err := h.Boolean(context.Background(), name)
			if err != nil || got != tt.want {
				t.Errorf("Boolean() = %+v, %v, want %+v", got, err, tt.want)
			}
		})
	}
}

func TestBooleanUndefined(t *testing.T) {
	got, err := rhel7(t, nil).Boolean(context.Background(), "no_such")
	if want := (Boolean{"no_such", Undefined, Undefined, Undefined}); err != nil || got != want {
		t.Errorf("Boolean() = %+v, %v, want %+v", got, err, want)
	}
}

func TestBooleanCannotTell(t *testing.T) {
	const local = "etc/selinux/targeted/active/booleans.local"
	tests := map[string]map[string]string{
		"value":    {local: "httpd_can_network_connect=yes\n"},
		"no value": {local: "httpd_can_network_connect\n"},
		"no store": {"etc/selinux/targeted/active/": "-"},
	}
	for name, files := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := rhel7(t, files).Boolean(context.Background(), "httpd_can_network_connect")
			if !errors.Is(err, ErrUnknown) || got.Persistent != Unknown {
				t.Errorf("Boolean() = %+v, %v, want ErrUnknown", got, err)
			}
		})
	}
	if _, err := (Host{}).Boolean(context.Background(), "../enforce"); err == nil {
		t.Error("a name that leaves the directory was accepted")
	}
}

// A policy of a format yet to come is semanage's to read.
func TestBooleanBySemanage(t *testing.T) {
	h := rhel7(t, map[string]string{"etc/selinux/targeted/policy/policy.40": "something new"})
	h.Read = says(testdata(t, "semanage-boolean-l.stdout"), "", 0)
	for name, want := range map[string]Setting{"httpd_can_network_connect": Off, "httpd_graceful_shutdown": On, "no_such": Undefined} {
		got, err := h.Boolean(context.Background(), name)
		if err != nil || got.Persistent != want {
			t.Errorf("%s: persistent %q, %v, want %q", name, got.Persistent, err, want)
		}
	}
	h.Read = says("SELinux boolean                State  Default Description\n", "OSError: No such file or directory\n", 1)
	if _, err := h.Boolean(context.Background(), "zebra"); !errors.Is(err, ErrUnknown) {
		t.Errorf("semanage crashed: %v, want ErrUnknown", err)
	}
}

// Recorded on Debian 12 (semanage 3.4), whose policy has 291 booleans by setools' count, 21 of them on.
func TestParseBooleanListWhole(t *testing.T) {
	got, err := parseBooleanList(testdata(t, "debian12-1.semanage-boolean-l.stdout"))
	must(t, err)
	on := 0
	for _, v := range got {
		if v {
			on++
		}
	}
	if len(got) != 291 || on != 21 {
		t.Errorf("%d booleans, %d on, want 291 and 21", len(got), on)
	}
}
