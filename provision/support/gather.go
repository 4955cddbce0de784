package support

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"wsprovision/provision/config"
	"wsprovision/provision/host"
	"wsprovision/provision/plaintext"
	"wsprovision/provision/secret"
	"wsprovision/provision/status"
)

// The bounds of an archive. A part that is longer is cut, and one that does not come is left behind.
const (
	mostPart  = 4 << 20
	mostAll   = 48 << 20
	partTime  = 20 * time.Second
	totalTime = 2 * time.Minute
)

// Version is the version of the JSON form of an Archive. A field is never renamed or removed under the same version;
// new ones may come.
const Version = 1

// Archive is what was gathered.
type Archive struct {
	Version int       `json:"support_version"`
	Agent   string    `json:"agent_version"`
	Made    time.Time `json:"made"`
	Path    string    `json:"path"`
	Bytes   int       `json:"bytes"`
	Parts   []Part    `json:"parts"`

	texts [][]byte
}

// Part is one file of an archive.
type Part struct {
	Name  string `json:"name"`
	What  string `json:"what"`
	Bytes int    `json:"bytes"`
	// Hidden is in how many places something that may be a secret was left out.
	Hidden int `json:"hidden"`
	// Lacking says why the part is not there, or not whole.
	Lacking string `json:"lacking,omitempty"`
}

// Gatherer knows where to look.
type Gatherer struct {
	*host.Host
	Agent string
	// Build is what the agent was made of.
	Build any
	// Input is where the configuration comes from.
	Input config.Input
	// Status looks at the host as the command of that name does.
	Status func(context.Context) status.Report
	// PartTime bounds each part; 0 is 20 seconds.
	PartTime time.Duration
}

// question is what one part of the archive answers.
type question struct {
	name, what string
	ask        func(context.Context) (string, error)
}

// Gather asks one question after the other. Nothing that goes wrong with one keeps the others from being asked.
func (g *Gatherer) Gather(ctx context.Context, now time.Time) *Archive {
	a := &Archive{Version: Version, Agent: g.Agent, Made: now.UTC().Truncate(time.Second), Parts: []Part{}}
	ctx, cancel := context.WithTimeoutCause(ctx, totalTime,
		fmt.Errorf("no time was left of %s", plaintext.Duration(totalTime)))
	defer cancel()
	all := 0
	for _, q := range g.questions() {
		p := Part{Name: q.name, What: q.what}
		text, err := g.ask(ctx, q)
		if err != nil {
			p.Lacking = secret.Scrub(err.Error())
		}
		most := min(mostPart, mostAll-all)
		if len(text) > most {
			p.Lacking = strings.TrimPrefix(fmt.Sprintf("%s; only the last %d of its %d bytes are here", p.Lacking, most,
				len(text)), "; ")
			text = strings.ToValidUTF8(text[len(text)-most:], "")
		}
		p.Bytes, p.Hidden = len(text), strings.Count(text, secret.Hidden)
		all += len(text)
		a.Parts, a.texts = append(a.Parts, p), append(a.texts, []byte(text))
	}
	return a
}

// ask leaves a question behind that does not come back, and one that panics over what it reads.
func (g *Gatherer) ask(ctx context.Context, q question) (string, error) {
	limit := g.PartTime
	if limit == 0 {
		limit = partTime
	}
	ctx, cancel := context.WithTimeoutCause(ctx, limit,
		fmt.Errorf("it did not come within %s", plaintext.Duration(limit)))
	defer cancel()
	type answer struct {
		text string
		err  error
	}
	done := make(chan answer, 1)
	go func() {
		var a answer
		defer func() {
			if why := recover(); why != nil {
				a = answer{"", fmt.Errorf("this is a fault of wsprovision's: %v", why)}
			}
			done <- a
		}()
		a.text, a.err = q.ask(ctx)
	}()
	select {
	case a := <-done:
		return a.text, a.err
	case <-ctx.Done():
		return "", context.Cause(ctx)
	}
}

// Lacking are the parts that are not there, or not whole.
func (a *Archive) Lacking() (all []Part) {
	for _, p := range a.Parts {
		if p.Lacking != "" {
			all = append(all, p)
		}
	}
	return all
}

// Hidden is in how many places something that may be a secret was left out.
func (a *Archive) Hidden() (n int) {
	for _, p := range a.Parts {
		n += p.Hidden
	}
	return n
}

var errNone = errors.New("there is none")
