package systemd

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"
	"github.com/google/go-cmp/cmp"
)

// connected gives a Live on the fake, and the list of what it did inside mutate.
func connected(t *testing.T, f *fake) (*Live, *[]string) {
	t.Helper()
	var did []string
	l, err := connect(t.Context(), []transport{f.way("system bus", true)}, func(what string, do func() error) error {
		did = append(did, what)
		return do()
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	l.JobWait, l.CallWait = 10*time.Second, 10*time.Second
	return l, &did
}

func errText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func TestLiveState(t *testing.T) {
	f := newFake(t)
	f.units["masked.service"] = &fakeUnit{load: "masked", active: "inactive", file: "masked"}
	f.units["web.socket"] = &fakeUnit{load: "loaded", active: "active", file: "static"}
	f.units["gen-erated.service"] = &fakeUnit{load: "loaded", active: "inactive", result: "success"}
	l, did := connected(t, f)
	tests := map[string]State{
		"nginx.service": {Load: "loaded", Active: "active", Sub: "running", File: "enabled", MainPID: 812,
			CanReload: true, Result: "success", Known: true},
		"nothere.service":    {Load: "not-found", Active: "inactive", Sub: "dead", Known: true},
		"masked.service":     {Load: "masked", Active: "inactive", Sub: "dead", File: "masked", Known: true},
		"web.socket":         {Load: "loaded", Active: "active", Sub: "running", File: "static", Known: true},
		"gen-erated.service": {Load: "loaded", Active: "inactive", Sub: "dead", Result: "success", Known: true},
	}
	for unit, want := range tests {
		t.Run(unit, func(t *testing.T) {
			got, err := l.State(t.Context(), unit)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(want, got); d != "" {
				t.Error(d)
			}
		})
	}
	if len(*did) > 0 || len(f.changes()) > 0 {
		t.Errorf("reading changed something: %q, %q", *did, f.changes())
	}
}

// A unit that gave up is taken off systemctl --failed.
func TestLiveResetFailed(t *testing.T) {
	f := newFake(t)
	f.units["firstboot.service"] = &fakeUnit{load: "loaded", active: "failed", file: "disabled", result: "exit-code"}
	l, did := connected(t, f)
	if err := l.ResetFailed(t.Context(), "firstboot.service"); err != nil {
		t.Error(err)
	}
	if st, err := l.State(t.Context(), "firstboot.service"); err != nil || st.Active != "inactive" || len(*did) != 1 {
		t.Errorf("%s, %v; did %q", st.Active, err, *did)
	}
	if err := l.ResetFailed(t.Context(), "nothere.service"); err == nil {
		t.Error("a unit that is not there was reset")
	}
}

func TestLiveJobResults(t *testing.T) {
	tests := []struct {
		result, verb, want string
	}{
		{"done", "reload", ""},
		{"done", "start", ""},
		{"canceled", "start", "start nginx.service: the job was cancelled by another request"},
		{"timeout", "reload", "reload nginx.service: the job timed out"},
		{"failed", "start", "start nginx.service: the job failed; ExecStartPre /usr/sbin/nginx -t: exit status 1"},
		{"failed", "reload", "reload nginx.service: the job failed; ExecReload /bin/kill -s HUP 812: killed by " +
			"terminated"},
		{"dependency", "start", "start nginx.service: a unit that it depends on failed"},
		{"skipped", "start", "start nginx.service: the job was skipped"},
		{"invalid", "reload", "reload nginx.service: the unit is not active"},
		{"assert", "start", "start nginx.service: an Assert…= in the unit is not met"},
		{"unsupported", "start", "start nginx.service: this kind of unit is not supported here"},
		{"collected", "start", `start nginx.service: the job ended with the unknown result "collected"`},
		{"", "reload", `reload nginx.service: the job ended with the unknown result ""`},
	}
	for _, tt := range tests {
		for _, early := range []bool{false, true} {
			t.Run(tt.verb+" "+tt.result+map[bool]string{true: " before the reply"}[early], func(t *testing.T) {
				f := newFake(t)
				f.early = early
				f.result["StartUnit"], f.result["ReloadUnit"] = tt.result, tt.result
				f.units["nginx.service"].exec = map[string][]execCommand{
					"ExecStartPre": {{Argv: []string{"/usr/bin/rm", "-f", "/run/nginx.pid"}, Code: 1},
						{Argv: []string{"/usr/sbin/nginx", "-t"}, Code: 1, Status_: 1}},
					"ExecReload": {{Argv: []string{"/bin/kill", "-s", "HUP", "812"}, Code: 2, Status_: 15}},
				}
				l, did := connected(t, f)
				do := map[string]func(context.Context, string) error{"start": l.Start, "reload": l.Reload}[tt.verb]
				got := errText(do(t.Context(), "nginx.service"))
				if tt.want == "" && got != "" || !strings.HasPrefix(got, tt.want) {
					t.Errorf("got %q, want %q", got, tt.want)
				}
				if want := []string{"systemd: " + tt.verb + " nginx.service"}; !cmp.Equal(*did, want) {
					t.Errorf("mutated %q, want %q", *did, want)
				}
				method := map[string]string{"start": "StartUnit", "reload": "ReloadUnit"}[tt.verb]
				if want := []string{method + "[nginx.service replace]"}; !cmp.Equal(f.changes(), want) {
					t.Errorf("called %q, want %q", f.changes(), want)
				}
			})
		}
	}
}

func TestLiveRefusals(t *testing.T) {
	sysd := func(name, text string) dbus.Error {
		return *dbus.NewError("org.freedesktop.systemd1."+name, []any{text})
	}
	tests := []struct {
		name, unit, method string
		err                dbus.Error
		want               string
	}{
		{"no such unit by systemd", "nginx.service", "ReloadUnit", sysd("NoSuchUnit", "Unit not found."),
			"reload nginx.service: there is no such unit"},
		{"masked, 219", "nginx.service", "ReloadUnit", sysd("UnitMasked", "Unit is masked."),
			`reload nginx.service: the unit is masked; "systemctl unmask nginx.service" makes it usable again, or ` +
				`"systemctl unmask --runtime nginx.service" where it is masked until the next boot only`},
		{"masked, 208", "nginx.service", "ReloadUnit", sysd("Masked", "Unit nginx.service is masked."),
			`reload nginx.service: the unit is masked; "systemctl unmask nginx.service" makes it usable again, or ` +
				`"systemctl unmask --runtime nginx.service" where it is masked until the next boot only`},
		{"no ExecReload", "nginx.service", "ReloadUnit",
			sysd("JobTypeNotApplicable", "Job type reload is not applicable for unit nginx.service."),
			"reload nginx.service: the unit cannot do that (a reload needs ExecReload= in the unit)"},
		{"another", "nginx.service", "ReloadUnit", sysd("TransactionOrderIsCyclic", "Order is cyclic."),
			"reload nginx.service: systemd: Order is cyclic (org.freedesktop.systemd1.TransactionOrderIsCyclic)"},
		{"not permitted", "nginx.service", "ReloadUnit",
			*dbus.NewError("org.freedesktop.DBus.Error.AccessDenied", []any{"Rejected send message"}),
			"reload nginx.service: systemd does not permit it to this user"},
		{"not found before asking", "nothere.service", "", dbus.Error{},
			"reload nothere.service: there is no such unit"},
		{"masked before asking", "masked.service", "", dbus.Error{},
			`reload masked.service: the unit is masked; "systemctl unmask masked.service" makes it usable again`},
		{"masked until the next boot", "runtime.service", "", dbus.Error{},
			`reload runtime.service: the unit is masked; "systemctl unmask --runtime runtime.service" makes it ` +
				`usable again`},
		{"not a name", "../nginx.service", "", dbus.Error{}, `"../nginx.service" is not the name of a unit`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := newFake(t)
			f.units["masked.service"] = &fakeUnit{load: "masked", active: "inactive", file: "masked"}
			f.units["runtime.service"] = &fakeUnit{load: "masked", active: "inactive", file: "masked-runtime"}
			f.fail[tt.method] = tt.err
			l, _ := connected(t, f)
			if got := errText(l.Reload(t.Context(), tt.unit)); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestLiveWaits(t *testing.T) {
	t.Run("late result", func(t *testing.T) {
		f := newFake(t)
		f.delay = 300 * time.Millisecond
		l, _ := connected(t, f)
		if err := l.Reload(t.Context(), "nginx.service"); err != nil {
			t.Error(err)
		}
	})
	t.Run("no result", func(t *testing.T) {
		f := newFake(t)
		f.never = true
		l, _ := connected(t, f)
		l.JobWait = 100 * time.Millisecond
		want := `reload nginx.service: systemd gave no result in 100ms; see "systemctl status nginx.service"`
		if got := errText(l.Reload(t.Context(), "nginx.service")); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
		// The connection and go-systemd's lock are not held by the job that was left.
		f.set(func() { f.never = false })
		l.JobWait = 10 * time.Second
		if err := l.Reload(t.Context(), "nginx.service"); err != nil {
			t.Error(err)
		}
	})
	t.Run("no reply", func(t *testing.T) {
		f := newFake(t)
		f.mute = "ReloadUnit"
		l, _ := connected(t, f)
		l.JobWait = 100 * time.Millisecond
		want := `reload nginx.service: systemd gave no result in 100ms; see "systemctl status nginx.service"`
		if got := errText(l.Reload(t.Context(), "nginx.service")); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	})
	t.Run("caller leaves", func(t *testing.T) {
		f := newFake(t)
		f.never = true
		l, _ := connected(t, f)
		ctx, cancel := context.WithCancel(t.Context())
		l.mutate = func(_ string, do func() error) error {
			time.AfterFunc(50*time.Millisecond, cancel)
			return do()
		}
		err := l.Reload(ctx, "nginx.service")
		if want := "reload nginx.service: stopped waiting, the job may still run: context " +
			"canceled"; errText(err) != want || !errors.Is(err, context.Canceled) {
			t.Errorf("got %q, want %q", errText(err), want)
		}
	})
	for _, drop := range []string{"signals", "all"} {
		t.Run("connection dropped: "+drop, func(t *testing.T) {
			f := newFake(t)
			f.drop = drop
			l, _ := connected(t, f)
			want := "reload nginx.service: the connection to systemd was lost before the job's result came; the job " +
				"may still run"
			if got := errText(l.Reload(t.Context(), "nginx.service")); got != want {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
	t.Run("state without an answer", func(t *testing.T) {
		f := newFake(t)
		f.mute = "GetAll"
		l, _ := connected(t, f)
		l.wire.wait = 100 * time.Millisecond
		_, err := l.State(t.Context(), "nginx.service")
		want := "read nginx.service: systemd does not answer: system bus: no answer in 100ms; " + hangs
		if errText(err) != want {
			t.Errorf("got %q, want %q", errText(err), want)
		}
	})
	t.Run("daemon-reload without an answer", func(t *testing.T) {
		f := newFake(t)
		f.mute = "Reload"
		l, _ := connected(t, f)
		l.CallWait = 2 * time.Second
		want := "enable nginx.service: have systemd read its unit files: no answer in 2s"
		if got := errText(l.Enable(t.Context(), "nginx.service")); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	})
}

// On 208 the signal goes to the connection that made the job, and go-systemd listens on its other one.
func TestLiveOn208(t *testing.T) {
	f := newFake(t)
	f.ancient, f.version = true, "systemd 208"
	l, _ := connected(t, f)
	if err := l.Reload(t.Context(), "nginx.service"); err != nil {
		t.Error(err)
	}
	if v, err := l.Version(t.Context()); v != 208 || err != nil {
		t.Errorf("version %d, %v, want 208", v, err)
	}
}

func TestLiveReadsItsFilesFirst(t *testing.T) {
	tests := []struct {
		name string
		unit fakeUnit
		want []string
	}{
		{"changed file", fakeUnit{load: "loaded", active: "active", file: "enabled", needReload: true},
			[]string{"systemd: daemon-reload", "systemd: start x.service"}},
		{"file came after systemd looked", fakeUnit{load: "not-found", active: "active", file: "disabled",
			afterReload: "loaded"}, []string{"systemd: daemon-reload", "systemd: start x.service"}},
		{"nothing new", fakeUnit{load: "loaded", active: "active", file: "enabled"},
			[]string{"systemd: start x.service"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := newFake(t)
			f.units["x.service"] = &tt.unit
			l, did := connected(t, f)
			if err := l.Start(t.Context(), "x.service"); err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(tt.want, *did); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestLiveStartThatIsDoneButNot(t *testing.T) {
	unmet := false
	tests := []struct {
		name string
		unit fakeUnit
		want string
	}{
		{"runs", fakeUnit{active: "inactive", startActive: "active"}, ""},
		{"oneshot has ended", fakeUnit{active: "inactive", startActive: "inactive"}, ""},
		{"condition not met", fakeUnit{active: "inactive", condition: &unmet},
			"start x.service: not started: a Condition…= in the unit is not met"},
		{"failed at once", fakeUnit{active: "inactive", startActive: "failed"},
			`start x.service: the unit failed as soon as it was started; journal: nginx: [emerg] bind() failed | exit`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := newFake(t)
			tt.unit.load, tt.unit.file = "loaded", "enabled"
			f.units["x.service"] = &tt.unit
			l, _ := connected(t, f)
			l.Read = func(_ context.Context, _ string, argv ...string) (string, string, int, error) {
				if argv[0] != "journalctl" || argv[3] != "--unit=x.service" {
					t.Errorf("ran %q", argv)
				}
				return "nginx: [emerg] bind() failed\nexit\n", "", 0, nil
			}
			if got := errText(l.Start(t.Context(), "x.service")); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestLiveEnable(t *testing.T) {
	tests := []struct {
		name, file, verb, want, after string
	}{
		{"disabled", "disabled", "enable", "", "enabled"},
		{"enabled already", "enabled", "enable", "", "enabled"},
		{"static", "static", "enable",
			"enable x.service: the unit says nothing of when to start (no WantedBy= in [Install])", "static"},
		{"masked", "masked", "enable",
			`enable x.service: the unit is masked; "systemctl unmask x.service" makes it usable again`, "masked"},
		{"masked until the next boot", "masked-runtime", "enable",
			`enable x.service: the unit is masked; "systemctl unmask --runtime x.service" makes it usable again`,
			"masked-runtime"},
		{"linked", "linked", "enable", `enable x.service: done, but systemd has it as "linked", not enabled`, "linked"},
		{"disable", "enabled", "disable", "", "disabled"},
		{"disable static", "static", "disable", "", "static"},
		{"disable in vain", "enabled-runtime", "disable",
			`disable x.service: done, but systemd still has it as "enabled-runtime"`, "enabled-runtime"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := newFake(t)
			f.units["x.service"] = &fakeUnit{load: "loaded", active: "inactive", file: tt.file}
			l, did := connected(t, f)
			do := map[string]func(context.Context, string) error{"enable": l.Enable, "disable": l.Disable}[tt.verb]
			if got := errText(do(t.Context(), "x.service")); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
			f.set(func() {
				if got := f.units["x.service"].file; got != tt.after {
					t.Errorf("file state %q, want %q", got, tt.after)
				}
			})
			if want := []string{"systemd: " + tt.verb + " x.service", "systemd: daemon-reload"}; !cmp.Equal(*did,
				want) {
				t.Errorf("mutated %q, want %q", *did, want)
			}
		})
	}
	t.Run("no such file", func(t *testing.T) {
		l, _ := connected(t, newFake(t))
		if got, want := errText(l.Enable(t.Context(), "y.service")),
			"enable y.service: there is no such unit file"; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	})
}

// A mutate that refuses, as a crash point does, keeps the call from happening.
func TestLiveChangesOnlyInsideMutate(t *testing.T) {
	f := newFake(t)
	f.units["nginx.service"].needReload = true
	l, _ := connected(t, f)
	stop := errors.New("stop")
	l.mutate = func(string, func() error) error { return stop }
	for name, do := range map[string]func(context.Context, string) error{"enable": l.Enable, "disable": l.Disable,
		"start": l.Start, "reload": l.Reload} {
		if err := do(t.Context(), "nginx.service"); !errors.Is(err, stop) {
			t.Errorf("%s: got %v, want %v", name, err, stop)
		}
	}
	if got := f.changes(); len(got) > 0 {
		t.Errorf("called %q outside mutate", got)
	}
}
