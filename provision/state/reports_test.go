package state

import (
	"os"
	"testing"
	"time"

	"wsprovision/provision/engine"
	"wsprovision/provision/host"
	"wsprovision/provision/hosttest"
)

// What a run that died has staged is removed with the next report, whose name is another one.
func TestReportsAreTidied(t *testing.T) {
	f := &host.Files{Root: hosttest.StateRoot(t), Seam: &host.Seam{}}
	if err := os.MkdirAll(f.Root+"/var/log", 0o755); err != nil {
		t.Fatal(err)
	}
	r := &engine.Report{Version: engine.ReportVersion, Command: "apply", Started: time.Unix(1, 0)}
	if err := KeepReport(f, r); err != nil {
		t.Fatal(err)
	}
	left := f.Root + host.Staging(ReportsDir+"/19700101T000000.500Z.json")
	if err := os.WriteFile(left, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	r.Started = time.Unix(2, 0)
	if err := KeepReport(f, r); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Lstat(left); !os.IsNotExist(err) {
		t.Errorf("%s is left over: %v", left, err)
	}
	if ids, err := ReportIDs(f.Root); err != nil || len(ids) != 2 {
		t.Errorf("kept: %v, %v; want two", ids, err)
	}
}
