// Package planfile is for a plan that is shown today and applied as it was shown, or not at all: the file that holds
// it, and what makes it another host's, another configuration's or somebody else's.
package planfile

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"wsprovision/provision/config"
	"wsprovision/provision/engine"
	"wsprovision/provision/host"
	"wsprovision/provision/hostfile"
)

// Version is the version of the file's form.
const Version = 1

// most bounds a file, in bytes: its diffs are those of all files of a run.
const most = host.MaxTogether

// ErrRefused says that a plan is not one to apply here and now.
var ErrRefused = errors.New("the plan is not applied, and nothing was touched")

// Plan is what was shown, and of what.
type Plan struct {
	Version int       `json:"plan_version"`
	Agent   string    `json:"agent_version"`
	Commit  string    `json:"agent_commit"`
	Made    time.Time `json:"made"`
	Host    Host      `json:"host"`
	Inputs  Inputs    `json:"inputs"`
	// Configuration is the SHA-256 of what the inputs asked for.
	Configuration string        `json:"configuration_sha256"`
	Result        engine.Status `json:"result"`
	Steps         []Step        `json:"steps"`
	// Digest is the SHA-256 of all else: a file that was edited, or cut, is told from one that was not. Who may write
	// the file could make another, and is asked after by its owner and mode.
	Digest string `json:"sha256"`
}

// Host is where a plan was made, and the boot.
type Host struct {
	Name      string `json:"name"`
	MachineID string `json:"machine_id"`
	BootID    string `json:"boot_id"`
	Place     string `json:"place"`
}

// Inputs are where the configuration came from, and the options beside it.
type Inputs struct {
	Config      string            `json:"config,omitempty"`
	Variables   []string          `json:"variables,omitempty"`
	Options     map[string]string `json:"options,omitempty"`
	AnyPlatform bool              `json:"any_platform,omitempty"`
	Adopt       bool              `json:"adopt,omitempty"`
}

// Step is what was shown of one step.
type Step struct {
	Name    string          `json:"name"`
	Changes []engine.Change `json:"changes"`
}

// Here is this host, in this boot.
func Here(ctx context.Context, h *host.Host) Host {
	name, _ := os.Hostname()
	id, _ := hostfile.Read(ctx, h.Root+"/etc/machine-id", 1<<10)
	return Host{Name: name, MachineID: strings.TrimSpace(string(id)), BootID: host.BootID(h),
		Place: string(h.Where.Place)}
}

// Set puts down what a plan has found.
func (p *Plan) Set(r *engine.Report, c config.Config) error {
	p.Version, p.Made, p.Result, p.Steps = Version, r.Started, r.Result, []Step{}
	for _, s := range r.Steps {
		p.Steps = append(p.Steps, Step{Name: s.Name, Changes: append([]engine.Change{}, s.Changes...)})
	}
	var err error
	p.Configuration, err = digestOf(c)
	return err
}

// digestOf tells one configuration from another, also by what apply would write down of it.
func digestOf(c config.Config) (string, error) {
	text, err := c.Marshal()
	if err != nil {
		return "", err
	}
	return digest(text), nil
}

func digest(text []byte) string {
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// Text is the file.
func (p Plan) Text() ([]byte, error) {
	p.Digest = ""
	text, err := json.MarshalIndent(p, "", "  ")
	if err != nil {
		return nil, err
	}
	p.Digest = digest(text)
	text, err = json.MarshalIndent(p, "", "  ")
	if len(text) > most {
		return nil, fmt.Errorf("its %d bytes are more than are read again (%d)", len(text), most)
	}
	return append(text, '\n'), err
}

// Read takes a file that root alone could have written.
func Read(ctx context.Context, path string, trusted bool) (*Plan, error) {
	if trusted {
		if err := hostfile.Trusted(path); err != nil {
			return nil, refused("somebody else than root could have written it:\n%w", err)
		}
	}
	text, err := hostfile.ReadLinked(ctx, path, most)
	if err != nil {
		return nil, refused("%w", err)
	}
	var versions struct {
		Version int `json:"plan_version"`
	}
	p := &Plan{}
	switch err := json.Unmarshal(text, &versions); {
	case err != nil || versions.Version == 0:
		return nil, refused("%s is no plan: wsprovision plan --out FILE makes one", path)
	case versions.Version != Version:
		return nil, refused("%s has the version %d, which this agent does not know: plan again with this agent", path,
			versions.Version)
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(p); err != nil {
		return nil, refused("%s is not as this agent writes a plan (%w): plan again", path, err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, refused("%s has something behind the plan: plan again", path)
	}
	if again, err := p.Text(); err != nil || !bytes.Equal(again, text) {
		return nil, refused("%s was edited since it was made: plan again", path)
	}
	return p, nil
}

func refused(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{ErrRefused}, args...)...)
}

// Is refuses a plan of another agent, host or boot.
func (p *Plan) Is(agent, commit string, here Host) error {
	switch {
	case p.Agent != agent || p.Commit != commit:
		return refused("wsprovision %s (commit %s) has made it, and this is %s (commit %s): plan again", p.Agent,
			p.Commit,
			agent, commit)
	case p.Host.MachineID != here.MachineID:
		return refused("it is of another host, %s: plan here", p.Host.Name)
	case p.Host.BootID != here.BootID:
		return refused("it was made before the host was booted: plan again")
	case p.Host.Place != here.Place:
		return refused("it was made in another place (%s), and this is %s: plan again", p.Host.Place, here.Place)
	case p.Result == engine.Failed:
		return refused("it has failed: mend that, and plan again")
	}
	return nil
}

// AsksFor refuses a configuration that is not the one of the plan.
func (p *Plan) AsksFor(c config.Config) error {
	now, err := digestOf(c)
	if err != nil {
		return err
	}
	if now != p.Configuration {
		return refused("what is asked for is not what it was when the plan was made at %s: plan again",
			p.Made.Format(time.RFC3339))
	}
	return nil
}

// Promised is what was shown, by the name of the step.
func (p *Plan) Promised() map[string][]engine.Change {
	all := map[string][]engine.Change{}
	for _, s := range p.Steps {
		all[s.Name] = s.Changes
	}
	return all
}
