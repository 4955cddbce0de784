package systemd

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"wsprovision/provision/lazy"
)

// Units is what a step may ask of systemd. Live and Offline are its two implementations.
type Units interface {
	// State describes a unit. A unit that is not in memory is loaded on demand (org.freedesktop.systemd1(5)); one
	// that does not exist is a State with Load "not-found", not an error.
	State(ctx context.Context, unit string) (State, error)
	// Enable makes the unit start at boot, and reads that back.
	Enable(ctx context.Context, unit string) error
	// Disable removes what Enable made, and reads that back.
	Disable(ctx context.Context, unit string) error
	// Start waits for the job's result. Offline it is ErrDeferred.
	Start(ctx context.Context, unit string) error
	// Reload never restarts: a unit that is inactive or has no ExecReload is an error. Offline it is ErrDeferred.
	Reload(ctx context.Context, unit string) error
	// DaemonReload has systemd read its files again. Offline there is nothing to read them.
	DaemonReload(ctx context.Context) error
	// ResetFailed takes a failed unit off the list of those (systemctl --failed). Offline there is no such list.
	ResetFailed(ctx context.Context, unit string) error
	Close() error
}

var (
	_ Units = (*Live)(nil)
	_ Units = (*Offline)(nil)
)

// ErrDeferred says that the work needs a running systemd and there is none here; the first boot has to do it.
var ErrDeferred = errors.New("deferred: no systemd of this system runs here")

// State is a unit as systemd has it now.
type State struct {
	Load   string // loaded, not-found, masked, error
	Active string // active, reloading, inactive, failed, activating, deactivating; "" when not Known
	Sub    string // running, dead, exited, …; "" when not Known
	// enabled, disabled, static, masked, masked-runtime, linked, indirect, bad, …; "" without a unit file
	File             string
	MainPID          int    // 0 when the unit has none
	CanReload        bool   // the unit has an ExecReload
	NeedDaemonReload bool   // its file is newer than what systemd has read
	Result           string // of the last run, of a service: success, exit-code, signal, timeout, …
	OpenFiles        uint64 // LimitNOFILE= of a service, as systemd knows it; 0 when not Known
	Known            bool   // false: only Load and File can be told here
}

// name holds systemd.unit(5)'s characters and suffixes; what is not a name never becomes a path or an argument.
var name = lazy.Regexp(`^[A-Za-z0-9:_.\\@][A-Za-z0-9:_.\\@-]*\.(service|socket|target|device|mount|` +
	`automount|timer|swap|path|slice|scope|snapshot)$`)

func checkName(unit string) error {
	if len(unit) > 255 || !name().MatchString(unit) {
		return fmt.Errorf("%q is not the name of a unit", unit)
	}
	return nil
}

var firstNumber = lazy.Regexp(`[0-9]{3,4}`)

// ParseVersion reads systemd's version as PID 1's property (208: "systemd 208", 219: "219", later "252.39-1") or the
// package's version ("219-78.el7_9.9.x86_64") has it.
func ParseVersion(text string) (int, error) {
	line, _, _ := strings.Cut(text, "\n")
	n, err := strconv.Atoi(firstNumber().FindString(line))
	if err != nil {
		return 0, fmt.Errorf("no version of systemd in %q", line)
	}
	return n, nil
}
