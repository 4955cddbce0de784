//go:build acceptance

package acceptance

import (
	"testing"
	"time"
)

func TestZProbe(t *testing.T) {
	begun := time.Now()
	m := start(t, booted)
	t.Logf("first start %v", time.Since(begun))
	for range 5 {
		begun = time.Now()
		m.must(t, "true")
		t.Logf("true %v", time.Since(begun))
	}
	for range 4 {
		begun = time.Now()
		m.restore(t, "booted")
		t.Logf("restore with login and clock %v", time.Since(begun))
	}
	begun = time.Now()
	m.put(t, "/root/big", make([]byte, 4<<20), 0o600)
	t.Logf("put 4 MiB %v", time.Since(begun))
	begun = time.Now()
	m.save(t, "x")
	t.Logf("save %v", time.Since(begun))
	begun = time.Now()
	t.Log(m.powerCut(t))
	t.Logf("power cut and boot settled %v", time.Since(begun))
	t.Log(m.must(t, "systemd-analyze; free -m; systemd-analyze blame | head -8"))
}
