package provision

import (
	"errors"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"wsprovision/provision/engine"
)

var errNotMade = errors.New("no space left on device, says the test")

// TestEveryChangeThatFails: each change of every way of TestCrash fails, one at a time, and the run goes on. The report
// says so, or a notice does where nothing hangs on it.
func TestEveryChangeThatFails(t *testing.T) {
	for _, c := range crashes() {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				whole := c.host(t)
				c.run(whole)
				os.RemoveAll(whole.root)
				var wait sync.WaitGroup
				slot := make(chan struct{}, 8)
				for i, point := range whole.points {
					if strings.HasPrefix(point, "after ") || i%everyPoint > 0 {
						continue
					}
					slot <- struct{}{}
					wait.Go(func() {
						defer func() { <-slot }()
						c.fail(t, i, point)
					})
				}
				wait.Wait()
			})
		})
	}
}

func (c crash) fail(t *testing.T, i int, point string) {
	h := c.host(t)
	defer os.RemoveAll(h.root)
	n := -1
	h.hook = func(string) error {
		if n++; n == i {
			return errNotMade
		}
		return nil
	}
	r := c.run(h)
	said := strings.Contains(told(r)+told(h.notices), errNotMade.Error())
	if !said && (r.Result != engine.Failed || !c.fails) {
		t.Errorf("point %d, %s: it fails, and nothing says so: %s\n%s", i, point, r.Result, summarize(r))
	}
}
