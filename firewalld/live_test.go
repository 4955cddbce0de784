package firewalld

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"
	"github.com/google/go-cmp/cmp"

	"wsprovision/provision/hosttest"
)

// bus is a message bus of the test's own.
func bus(t *testing.T) string {
	t.Helper()
	program, err := exec.LookPath("dbus-daemon")
	if err != nil {
		hosttest.Unable(t, "no dbus-daemon here: %v", err)
	}
	dir, err := os.MkdirTemp("", "fw") // a socket's path has 107 bytes at most
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	address := "unix:path=" + dir + "/bus"
	conf := filepath.Join(dir, "conf")
	text := `<busconfig><type>session</type><listen>` + address + `</listen><auth>EXTERNAL</auth>` +
		`<policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow ` +
		`own="*"/>` +
		`<allow user="*"/></policy></busconfig>`
	if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program, "--config-file="+conf, "--nofork", "--nopidfile")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	for range 500 {
		if _, err := os.Stat(dir + "/bus"); err == nil {
			return address
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatal("the bus does not come up")
	return ""
}

type port struct{ Port, Protocol string }

// zoneSettings are 0.6.3's: (sssbsasa(ss)asba(ssss)asasasasa(ss)b), cut behind the ports.
type zoneSettings struct {
	Version, Short, Description string
	Unused                      bool
	Target                      string
	Services                    []string
	Ports                       []port
	Blocks                      []string
}

type serviceSettings struct {
	Version, Short, Description string
	Ports                       []port
	Modules                     []string
}

// daemon answers as firewalld 0.6.3 does.
type daemon struct {
	permanent, running []port
	services           []string
	target             string
	silent             atomic.Bool // of the settings of the zone that runs, as before 0.4
}

func exception(text string) *dbus.Error {
	return &dbus.Error{Name: destination + ".Exception", Body: []any{text}}
}

func edit(at *[]port, number, protocol string, open bool) *dbus.Error {
	p := port{number, protocol}
	has := slices.Contains(*at, p)
	switch {
	case has && open:
		return exception("ALREADY_ENABLED: '" + number + ":" + protocol + "' already in 'public'")
	case !has && !open:
		return exception("NOT_ENABLED: " + number)
	case open:
		*at = append(*at, p)
	default:
		*at = slices.DeleteFunc(*at, func(q port) bool { return p == q })
	}
	return nil
}

func (d *daemon) serve(t *testing.T, address string) {
	t.Helper()
	conn, err := dbus.Connect(address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if r, err := conn.RequestName(destination, 0); err != nil || r != dbus.RequestNameReplyPrimaryOwner {
		t.Fatal(r, err)
	}
	known := func(zone string) *dbus.Error {
		if zone != "public" {
			return exception("INVALID_ZONE: " + zone)
		}
		return nil
	}
	http := serviceSettings{Ports: []port{{"80", "tcp"}, {"80", "udp"}}}
	export := func(at, of string, methods map[string]any) {
		if err := conn.ExportMethodTable(methods, dbus.ObjectPath(at), of); err != nil {
			t.Fatal(err)
		}
	}
	export(path, destination, map[string]any{
		"getDefaultZone":     func() (string, *dbus.Error) { return "public", nil },
		"getServiceSettings": func(string) (serviceSettings, *dbus.Error) { return http, nil },
		"getZoneSettings": func(string) (zoneSettings, *dbus.Error) {
			if d.silent.Load() {
				return zoneSettings{}, &dbus.ErrMsgUnknownMethod
			}
			return zoneSettings{Target: d.target}, nil
		},
	})
	export(path, ofZones, map[string]any{
		"getActiveZones": func() (map[string]map[string][]string, *dbus.Error) {
			return map[string]map[string][]string{"public": {"interfaces": {"eth0"}}, "dmz": {}}, nil
		},
		"getPorts": func(zone string) (all [][]string, _ *dbus.Error) {
			for _, p := range d.running {
				all = append(all, []string{p.Port, p.Protocol})
			}
			return all, known(zone)
		},
		"getServices": func(zone string) ([]string, *dbus.Error) { return d.services, known(zone) },
		"addPort": func(zone, number, protocol string, _ int32) (string, *dbus.Error) {
			return zone, edit(&d.running, number, protocol, true)
		},
		"removePort": func(zone, number, protocol string) (string, *dbus.Error) {
			return zone, edit(&d.running, number, protocol, false)
		},
	})
	export(configPath, config, map[string]any{
		"getZoneByName": func(zone string) (dbus.ObjectPath, *dbus.Error) {
			return configPath + "/zone/3", known(zone)
		},
		"getServiceByName": func(string) (dbus.ObjectPath, *dbus.Error) { return configPath + "/service/1", nil },
	})
	export(configPath+"/service/1", ofService, map[string]any{
		"getSettings": func() (serviceSettings, *dbus.Error) { return http, nil },
	})
	export(configPath+"/zone/3", ofZone, map[string]any{
		"getSettings": func() (zoneSettings, *dbus.Error) {
			return zoneSettings{Target: d.target, Services: d.services, Ports: d.permanent}, nil
		},
		"addPort": func(number, protocol string) *dbus.Error { return edit(&d.permanent, number, protocol, true) },
		"removePort": func(number, protocol string) *dbus.Error {
			return edit(&d.permanent, number, protocol, false)
		},
	})
}

func live(t *testing.T, d *daemon) *Live {
	t.Helper()
	address := bus(t)
	d.serve(t, address)
	l, err := connect(t.Context(), address, func(_ string, do func() error) error { return do() })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l
}

// What firewalld answers is understood, and each place is changed by itself.
func TestLive(t *testing.T) {
	d := &daemon{target: "default", services: []string{"http"},
		permanent: []port{{"3000-3001", "tcp"}, {"53", "udp"}}, running: []port{{"8080", "tcp"}}}
	l := live(t, d)
	ctx := t.Context()
	if zone, err := l.DefaultZone(ctx); zone != "public" || err != nil {
		t.Errorf("default zone %q, %v", zone, err)
	}
	if bound, err := l.Bound(ctx); !slices.Equal(bound, []string{"dmz", "public"}) || err != nil {
		t.Errorf("bound %q, %v", bound, err)
	}
	z, err := l.Zone(ctx, "public")
	want := Zone{Permanent: Admits{Ports: []Span{{3000, 3001}}, Services: []Span{{80, 80}}},
		Running: &Admits{Ports: []Span{{8080, 8080}}, Services: []Span{{80, 80}}}}
	if diff := cmp.Diff(want, z); err != nil || diff != "" {
		t.Errorf("%v\n-want +got\n%s", err, diff)
	}
	for _, in := range []Place{Permanent, Running} {
		for range 2 { // what is so already is no failure
			if err := l.Open(ctx, in, "public", 9000); err != nil {
				t.Fatal(err)
			}
		}
	}
	if z, err = l.Zone(ctx, "public"); err != nil || !z.Permanent.Lists(9000) || !z.Running.Lists(9000) {
		t.Errorf("%+v, %v", z, err)
	}
	for range 2 {
		if err := l.Shut(ctx, Running, "public", 9000); err != nil {
			t.Fatal(err)
		}
	}
	if z, err = l.Zone(ctx, "public"); err != nil || !z.Permanent.Lists(9000) || z.Running.Lists(9000) {
		t.Errorf("%+v, %v", z, err)
	}
}

func TestLiveTargets(t *testing.T) {
	d := &daemon{target: "ACCEPT"}
	l := live(t, d)
	if z, err := l.Zone(t.Context(), "public"); err != nil || !z.Permanent.Lets(1) || !z.Running.Lets(1) {
		t.Errorf("%+v, %v", z, err)
	}
	d.silent.Store(true)
	if z, err := l.Zone(t.Context(), "public"); err != nil || z.Running.Lets(1) {
		t.Errorf("%+v, %v", z, err)
	}
}

func TestHostileLive(t *testing.T) {
	l := live(t, &daemon{})
	if _, err := l.Zone(t.Context(), "nowhere"); !errors.Is(err, ErrNoZone) {
		t.Errorf("%v, want ErrNoZone", err)
	}
	for _, zone := range []string{"", "../x", "a b", "-x", "aaaaaaaaaaaaaaaaaa", "a\x00"} {
		if err := l.Open(t.Context(), Permanent, zone, 80); err == nil {
			t.Errorf("the zone %q is taken", zone)
		}
	}
	for _, port := range []int{0, -1, 65536} {
		if err := l.Open(t.Context(), Permanent, "public", port); err == nil {
			t.Errorf("the port %d is taken", port)
		}
	}
	if _, err := connect(t.Context(), bus(t), nil); err != nil {
		t.Fatal(err)
	}
	nobody, _ := connect(t.Context(), bus(t), nil) // a bus without firewalld
	if _, err := nobody.DefaultZone(t.Context()); err == nil {
		t.Error("a bus without firewalld answers")
	}
}

// The files of a firewalld that does not run: an administrator's go before the package's.
func TestOffline(t *testing.T) {
	root := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		if err := os.MkdirAll(filepath.Dir(root+name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(root+name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	const head = "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n"
	write("/usr/lib/firewalld/zones/public.xml", head+`<zone><service name="ssh"/></zone>`)
	write("/etc/firewalld/zones/public.xml", head+`<zone target="DROP"><short>Public</short><service name="web"/>
  <service name="gone"/><service name="../../x"/><port protocol="tcp" port="3000-3001"/>
  <port protocol="udp" port="53"/><port protocol="tcp" port="x"/></zone>`)
	write("/etc/firewalld/services/web.xml", head+`<service><port protocol="tcp" port="8080"/></service>`)
	write("/usr/lib/firewalld/zones/trusted.xml", head+`<zone target="ACCEPT"/>`)
	var ran []string
	o := &Offline{Root: root, Change: func(_ context.Context, _ string, argv ...string) (string, string, int, error) {
		ran = append(ran, fmt.Sprint(argv))
		return "", "ALREADY_ENABLED\n", 0, nil
	}}
	for _, tt := range [][2]string{{"", "public"}, {"#DefaultZone=dmz\n", "public"},
		{"DefaultZone=dmz\nIndividualCalls=no\n", "dmz"}, {"DefaultZone= a b\n", "error"}} {
		conf, want := tt[0], tt[1]
		if conf != "" {
			write("/etc/firewalld/firewalld.conf", conf)
		}
		got, err := o.DefaultZone(t.Context())
		if (err != nil) != (want == "error") || err == nil && got != want {
			t.Errorf("%q: %q, %v, want %q", conf, got, err, want)
		}
	}
	z, err := o.Zone(t.Context(), "public")
	want := Zone{Permanent: Admits{Ports: []Span{{3000, 3001}}, Services: []Span{{8080, 8080}}}}
	if diff := cmp.Diff(want, z); err != nil || diff != "" {
		t.Errorf("%v\n-want +got\n%s", err, diff)
	}
	if z, err := o.Zone(t.Context(), "trusted"); err != nil || !z.Permanent.Lets(443) {
		t.Errorf("%+v, %v", z, err)
	}
	if _, err := o.Zone(t.Context(), "nowhere"); !errors.Is(err, ErrNoZone) {
		t.Errorf("%v, want ErrNoZone", err)
	}
	if err := o.Open(t.Context(), Permanent, "public", 80); err == nil {
		t.Error("a program that exits 0 and changes nothing is believed")
	}
	if want := []string{"[firewall-offline-cmd --zone=public --add-port=80/tcp]"}; !slices.Equal(ran, want) {
		t.Errorf("%q, want %q", ran, want)
	}
	if err := o.Open(t.Context(), Running, "public", 80); err == nil {
		t.Error("something that does not run is changed")
	}
}
