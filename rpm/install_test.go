package rpm

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"wsprovision/rpm/rpmdb"
	"wsprovision/rpm/rpmtest"
	"wsprovision/rpm/yumerr"

	"github.com/google/go-cmp/cmp"
)

var bg = context.Background()

func TestInstallArgv(t *testing.T) {
	f := newFake(t)
	f.installed["policycoreutils-python"] = "(none)\t2.5\t34.el7\tx86_64"
	f.files["/var/lib/epel-release.rpm"] = "epel-release"
	f.yum = f.brings("", 0, "nginx", "epel-release")
	err := f.install(Wants{Packages: []string{"nginx", "policycoreutils-python", "nginx", "epel-release"},
		Files: []string{"/var/lib/epel-release.rpm"}})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"yum -y -d 2 -e 2 --setopt=retries=2 --setopt=timeout=15 " +
		"--setopt=skip_missing_names_on_install=False --setopt=exit_on_lock=1 --setopt=localpkg_gpgcheck=1 install " +
		"nginx /var/lib/epel-release.rpm"}
	if diff := cmp.Diff(want, f.ran); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

// A key signs many packages. What a file is called says nothing of which one is in it.
func TestHostilePackageFile(t *testing.T) {
	f := newFake(t)
	f.files["/epel-release.rpm"] = "telnet-server"
	err := f.install(Wants{Packages: []string{"epel-release"}, Files: []string{"/epel-release.rpm"}})
	if !rpmtest.Matches(err, "/epel-release.rpm is telnet-server-7-14.noarch, which is not asked for") ||
		len(f.ran) > 0 {
		t.Errorf("error is %v, ran %q", err, f.ran)
	}
}

func TestInstallNothing(t *testing.T) {
	f := newFake(t)
	f.installed["nginx"] = "1\t1.20.1\t10.el7\tx86_64"
	f.installed["epel-release"] = "(none)\t7\t11\tnoarch"
	f.files["/epel.rpm"] = "epel-release"
	if err := f.install(Wants{Packages: []string{"nginx", "epel-release"}, Files: []string{"/epel.rpm"}}); err != nil {
		t.Error(err)
	}
	if err := f.install(Wants{}); err != nil {
		t.Error(err)
	}
	if len(f.ran) != 0 {
		t.Errorf("ran %q, want nothing", f.ran)
	}
}

func TestInstallVerdicts(t *testing.T) {
	tests := []struct {
		name      string
		recording string
		status    int
		brings    []string
		wantErr   []string
		kind      yumerr.Kind
		wantRuns  int
		wantSlept time.Duration
		notice    string
	}{
		{name: "exit status 0 and a package missing", recording: "rhel7-missing-all", status: 0, kind: yumerr.NoPackage,
			wantRuns: 1,
			wantErr: []string{"install nginx: yum: exit status 0, but nginx is not installed: No package nginx " +
				"available."}},
		{name: "exit status 1 and a package missing", recording: "rhel7-excluded", status: 1, kind: yumerr.NoPackage,
			wantRuns: 1,
			wantErr: []string{"install nginx: yum: exit status 1, nginx is not installed: No package nginx " +
				"available."}},
		{name: "exit status 1 and all there", recording: "rhel7-file-present", status: 1, brings: []string{"nginx"},
			wantRuns: 1,
			notice:   "Nothing to do; rpm has everything that was asked for"},
		{name: "%pre failed, Complete! all the same", recording: "rhel7-prein", status: 1, kind: yumerr.Scriptlet,
			wantRuns: 1, wantErr: []string{"PREIN"}},
		{name: "repository down for good", recording: "rhel7-all-repositories-down", status: 1,
			kind:     yumerr.Unreachable,
			wantRuns: 3, wantSlept: 15 * time.Second,
			wantErr: []string{"repodata/repomd.xml from base"}, notice: "trying again in 5s (2 of 3)"},
		{name: "unsigned is not tried again", recording: "rhel7-unsigned", status: 1, kind: yumerr.Unsigned,
			wantRuns: 1,
			wantErr:  []string{"is not signed"}},
		{name: "%post failed", recording: "rhel7-postin", status: 0, brings: []string{"nginx"}, wantRuns: 1,
			notice: "yum: Non-fatal POSTIN scriptlet failure in rpm package 1:nginx"},
		{name: "interrupted earlier", recording: "rhel7-unfinished-transaction", status: 0,
			brings: []string{"nginx"}, wantRuns: 1, notice: "yum-complete-transaction --cleanup-only"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := newFake(t)
			f.yum = f.brings(tt.recording, tt.status, tt.brings...)
			err := f.install(Wants{Packages: []string{"nginx"}})
			if (err != nil) != (tt.wantErr != nil) {
				t.Fatalf("error is %v", err)
			}
			for _, want := range tt.wantErr {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("error %q lacks %q", err, want)
				}
			}
			var yum *yumerr.Error
			if err != nil && (!errors.As(err, &yum) || yum.Kind != tt.kind) {
				t.Errorf("kind is not %q: %v", tt.kind, err)
			}
			if len(f.ran) != tt.wantRuns || f.slept != tt.wantSlept {
				t.Errorf("%d runs and %s of sleep, want %d and %s", len(f.ran), f.slept, tt.wantRuns, tt.wantSlept)
			}
			if !strings.Contains(strings.Join(f.notices, "\n"), tt.notice) {
				t.Errorf("notices %q lack %q", f.notices, tt.notice)
			}
		})
	}
}

func TestInstallAfterRepositoryComesBack(t *testing.T) {
	f := newFake(t)
	down, up := f.brings("rhel7-all-repositories-down", 1), f.brings("", 0, "nginx")
	f.yum = func(argv []string) (string, string, int) {
		if len(f.ran) < 3 {
			return down(argv)
		}
		return up(argv)
	}
	if err := f.install(Wants{Packages: []string{"nginx"}}); err != nil {
		t.Error(err)
	}
}

func TestInstallRefuses(t *testing.T) {
	for _, w := range []Wants{
		{Packages: []string{"--nogpgcheck"}}, {Packages: []string{"http://x/y.rpm"}},
		{Files: []string{"x.rpm"}}, {Files: []string{"https://x/y.rpm"}}, {Files: []string{"/x"}},
		{Files: []string{"/a/../x.rpm"}}, {Files: []string{"/*.rpm"}},
	} {
		f := newFake(t)
		if err := f.install(w); err == nil || len(f.ran) > 0 {
			t.Errorf("%+v: error %v, ran %q", w, err, f.ran)
		}
	}
}

// A run that is ended while yum works does not end yum, and learns what it brought.
func TestInstallEnded(t *testing.T) {
	f := newFake(t)
	ctx, cancel := context.WithCancel(bg)
	h := f.host()
	f.yum = func(argv []string) (string, string, int) {
		cancel()
		return f.brings("", 0, "nginx", "nginx-filesystem")(argv)
	}
	h.DB.Read = func(ctx context.Context, stdin string, argv ...string) (string, string, int, error) {
		if err := ctx.Err(); err != nil {
			return "", "", 0, err
		}
		return f.read(ctx, stdin, argv...)
	}
	after, err := h.Install(ctx, Wants{Packages: []string{"nginx"}}, rpmdb.Inventory{}, Limits{})
	if brought, _ := after.Since(rpmdb.Inventory{}); err != nil || cmp.Diff([]string{"nginx", "nginx-filesystem"},
		brought) != "" {
		t.Errorf("brought %q, %v; want nginx and its dependency", brought, err)
	}
}

func TestInstallKilled(t *testing.T) {
	f := newFake(t)
	h := f.host()
	h.Change = func(context.Context, string, ...string) (string, string, int, error) {
		return "", "", 0, context.DeadlineExceeded
	}
	if _, err := h.Install(bg, Wants{Packages: []string{"nginx"}}, rpmdb.Inventory{}, Limits{}); !errors.Is(err,
		context.DeadlineExceeded) {
		t.Errorf("error is %v", err)
	}
}
