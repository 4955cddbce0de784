package running

import (
	"context"
	"errors"
	"testing"
	"time"
)

func TestSleep(t *testing.T) {
	began := time.Now()
	if err := Sleep(t.Context(), 20*time.Millisecond); err != nil || time.Since(began) < 20*time.Millisecond {
		t.Errorf("%v after %s", err, time.Since(began))
	}
	caught := errors.New("caught SIGINT")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(caught)
	if err := Sleep(ctx, time.Hour); !errors.Is(err, caught) {
		t.Errorf("%v, want why the run ends", err)
	}
}
