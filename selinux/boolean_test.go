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
		"persistently, not now": {map[string]string{local: testdata(t, "rhel7-1.booleans.local")}, false,
			Boolean{name, Off, On, On}},
		"recorded off": {map[string]string{running: "1 1", local: name + "=0\n"}, false,
			Boolean{name, On, Off, Off}},
		"pending is not running": {map[string]string{running: "0 1"}, false, Boolean{name, Off, Off, Undefined}},
		"offline":                {map[string]string{running: "1 1"}, true, Boolean{name, Unknown, Off, Undefined}},
		"SELinux off": {map[string]string{"proc/self/mounts": ""}, false,
			Boolean{name, Unknown, Off, Undefined}},
		"noise in selinuxfs": {map[string]string{running: "on"}, false, Boolean{name, Unknown, Off, Undefined}},
		"record of another": {map[string]string{local: "zebra=true\n"}, false,
			Boolean{name, Off, Off, Undefined}},
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

// A policy of a format yet to come cannot be read, and nobody is asked in its place.
func TestPolicyOfAnotherFormat(t *testing.T) {
	h := rhel7(t, map[string]string{
		"etc/selinux/targeted/policy/policy.40": "something new", "sys/fs/selinux/policy": "something new",
	})
	b, err := h.Boolean(context.Background(), "httpd_can_network_connect")
	if !errors.Is(err, ErrUnknown) || b.Persistent != Unknown {
		t.Errorf("boolean: %+v, %v, want ErrUnknown", b, err)
	}
	if p, err := h.Port(context.Background(), "tcp", 3000); !errors.Is(err, ErrUnknown) || p.Stored != "" {
		t.Errorf("port: %+v, %v, want ErrUnknown", p, err)
	}
}
