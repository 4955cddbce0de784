package fleet

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"wsprovision/provision/plaintext"
	"wsprovision/provision/running"
)

// Splay waits a random time of at most most, and ends early with ctx, whose cause is the error.
func Splay(ctx context.Context, most time.Duration, say func(string)) error {
	if most <= 0 {
		return nil
	}
	pause := rand.N(most).Round(time.Millisecond)
	say(fmt.Sprintf("waiting %s of at most %s before the run begins, as splay asks for; --splay 0s begins at once",
		plaintext.Duration(pause.Round(time.Second)), plaintext.Duration(most)))
	if err := running.Sleep(ctx, pause); err != nil {
		return fmt.Errorf("the run was ended before it began, and nothing was changed: %w", err)
	}
	return nil
}
