package site

import "testing"

// A worker has a sixteenth of its connections free, and the largest capacity for so many files fits them.
func TestCapacityOf(t *testing.T) {
	for _, n := range []Capacity{1, 1500, 20000, 500000} {
		c, used := n.WorkerConnections(), 2*int(n)
		if c-used <= c/16 {
			t.Errorf("%d: of %d connections %d are free", n, c, c-used)
		}
		if got := CapacityOf(n.OpenFiles()); got > n || got < n-1 || got.OpenFiles() > n.OpenFiles() {
			t.Errorf("CapacityOf(%d) = %d, want about %d", n.OpenFiles(), got, n)
		}
	}
}
