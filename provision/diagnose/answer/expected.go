package answer

import (
	"context"
	"errors"
	"fmt"

	"wsprovision/provision/diagnose/cause"
	"wsprovision/provision/diagnose/facts"
	"wsprovision/provision/websocket/handshake"
)

// IsNotAsExpected: the WebSocket opens, and what the location's probe expects of it does not come.
func IsNotAsExpected(ctx context.Context, e *facts.Evidence) *cause.Diagnosis {
	var other *handshake.ExpectError
	if !errors.As(e.Err, &other) {
		return nil
	}
	for _, b := range facts.Backends(e) {
		switch err := facts.Shake(ctx, e, facts.AsNginx(e, b)); {
		case err == nil:
			return cause.New(cause.NotAsExpected,
				fmt.Sprintf("through nginx the handshake is not as the probe expects it, and the backend %s itself "+
					"answers it so", b),
				cause.Say("look at what stands between, and at the backend's other instances"),
				append([]string{other.Error()}, facts.WayOf(e)...)...)
		case errors.As(err, &other):
			return cause.New(cause.NotAsExpected,
				fmt.Sprintf("the backend %s itself does not answer as the probe expects it: %s", b, other),
				cause.Say("mend probe.expect of the location, or the backend"), e.Err.Error())
		}
	}
	return cause.New(cause.NotAsExpected, "the application does not answer as the probe expects it: "+other.Error(),
		cause.Say("mend probe.expect of the location, or the backend"), facts.WayOf(e)...)
}
