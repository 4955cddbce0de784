package screen

import (
	"fmt"
	"io"
	"sync"
	"time"

	"wsprovision/provision/plaintext"
)

// LiveLine shows on a terminal which step is under way and for how long. A nil
// one shows nothing.
type LiveLine struct {
	W       io.Writer
	Columns int // a line that is longer would be two, of which one stays; 0 is not known
	mu      sync.Mutex
	text    string
	done    chan struct{}
	idle    sync.WaitGroup
}

func (l *LiveLine) Start(text string) {
	if l == nil {
		return
	}
	l.Stop()
	done, began := make(chan struct{}), time.Now()
	l.text, l.done = text, done
	l.idle.Go(func() {
		tick := time.NewTicker(time.Second)
		defer tick.Stop()
		for {
			select {
			case <-done:
				return
			case <-tick.C:
				l.Show(fmt.Sprintf("%s … %ds", text, int(time.Since(began).Seconds())))
			}
		}
	})
}

const EraseLine = "\r\x1b[K" // ECMA-48 EL: to the end of the line

func (l *LiveLine) Show(text string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	line := []rune(plaintext.Line(text))
	if l.Columns > 0 {
		line = line[:min(len(line), l.Columns-1)]
	}
	fmt.Fprint(l.W, EraseLine+string(line))
}

func (l *LiveLine) Clear() {
	if l == nil || l.done == nil {
		return
	}
	l.Show("")
}

func (l *LiveLine) Stop() {
	if l == nil || l.done == nil {
		return
	}
	close(l.done)
	l.idle.Wait()
	l.done = nil
	l.Show("")
}
