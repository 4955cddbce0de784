package verify

import (
	"slices"
	"time"

	"wsprovision/provision/diagnose/cause"
	"wsprovision/provision/websocket"
)

// Version is the version of the JSON form of Report. A field is
// never renamed or removed under the same version; new ones may come.
const Version = 1

// The results of a check, of a target and of the whole.
const (
	OK      = "ok"
	Failed  = "failed"
	Skipped = "skipped"
)

// Report is what Verify saw, target by target.
type Report struct {
	Version int            `json:"verify_version"`
	Agent   string         `json:"agent_version"`
	Started time.Time      `json:"started"`
	Millis  int64          `json:"duration_ms"`
	Result  string         `json:"result"` // ok or failed
	Targets []TargetReport `json:"targets"`
	// Unproved are the WebSockets that nothing can be asked of.
	Unproved    []Unproved        `json:"unproved,omitempty"`
	Warnings    []cause.Diagnosis `json:"warnings,omitempty"`
	Interrupted string            `json:"interrupted,omitempty"`
}

// Unproved is a WebSocket location that no path is known of.
type Unproved struct {
	Site string `json:"site"`
	Path string `json:"path"`
	Why  string `json:"why"`
}

// TargetReport is one WebSocket location at one address.
type TargetReport struct {
	URL     string `json:"url"`
	Address string `json:"address"` // what was dialled
	Site    string `json:"site,omitempty"`
	Backend string `json:"backend,omitempty"`
	// Echo says that an echo backend of the agent's own stood in for the
	// backend, which was not running.
	Echo   bool          `json:"with_echo,omitempty"`
	Result string        `json:"result"`
	Checks []CheckReport `json:"checks"`
	Timing *TimingReport `json:"timing,omitempty"`
	// Stop is where the proof ended, where nginx wants what was not given; nil where it went through.
	Stop *Stop `json:"proved_up_to,omitempty"`
	// Diagnosis is the cause of a failure; nil with --explain=never.
	Diagnosis *cause.Diagnosis `json:"diagnosis,omitempty"`
}

// CheckReport is one check; the names are package websocket's.
type CheckReport struct {
	Name   string  `json:"name"`
	Result string  `json:"result"`
	Millis float64 `json:"duration_ms"`
	Detail string  `json:"detail,omitempty"`
	Error  string  `json:"error,omitempty"`
	Why    string  `json:"why,omitempty"` // it was skipped
}

// TimingReport is in milliseconds.
type TimingReport struct {
	Count     int         `json:"count"`
	Failed    int         `json:"failed"`
	Elapsed   float64     `json:"elapsed_ms"`
	Handshake Percentiles `json:"handshake_ms"`
	RoundTrip Percentiles `json:"round_trip_ms"`
	Error     string      `json:"error,omitempty"` // the first
	Seen      string      `json:"seen,omitempty"`  // the most that was seen of one of nginx's workers
}

// Percentiles are in milliseconds.
type Percentiles struct {
	P50 float64 `json:"p50"`
	P90 float64 `json:"p90"`
	P99 float64 `json:"p99"`
	Max float64 `json:"max"`
}

func millis(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

func percentiles(p websocket.Percentiles) Percentiles {
	return Percentiles{millis(p.P50), millis(p.P90), millis(p.P99), millis(p.Max)}
}

func checkReport(c websocket.Check) CheckReport {
	r := CheckReport{Name: c.Name, Result: OK, Millis: millis(c.Took), Detail: c.Detail, Why: c.Skipped}
	switch {
	case c.Skipped != "":
		r.Result = Skipped
	case c.Failed():
		r.Result = Failed
		if c.Err != nil {
			r.Error = c.Err.Error()
		}
	}
	return r
}

func timingReport(t websocket.Timing, err error) *TimingReport {
	r := &TimingReport{Count: t.Count, Failed: t.Failed, Elapsed: millis(t.Elapsed),
		Handshake: percentiles(t.Handshake), RoundTrip: percentiles(t.RoundTrip)}
	if err != nil {
		r.Error = err.Error()
	}
	return r
}

// warn adds warnings, each once.
func (r *Report) warn(all []cause.Diagnosis) {
	for _, d := range all {
		if !slices.ContainsFunc(r.Warnings, func(o cause.Diagnosis) bool { return o.String() == d.String() }) {
			r.Warnings = append(r.Warnings, d)
		}
	}
}

// settle derives the whole result.
func (r *Report) settle() {
	r.Result = OK
	for _, t := range r.Targets {
		if t.Result != OK {
			r.Result = Failed
		}
	}
	if r.Interrupted != "" || len(r.Targets) == 0 {
		r.Result = Failed
	}
}

// endAt makes an outcome of a refusal that the site asks for: what is behind it is not proved, and nothing failed.
func (t *TargetReport) endAt(s Stop) {
	t.Result = OK
	behind := false
	for i, c := range t.Checks {
		switch {
		case c.Name == "upgrade":
			behind = true
			t.Checks[i] = CheckReport{Name: c.Name, Result: Skipped, Millis: c.Millis, Why: s.String()}
		case behind:
			t.Checks[i].Why = "it is behind " + s.Key
		}
	}
}

// hide passes through hide whatever a server may have said.
func (t *TargetReport) hide(hide func(string) string) {
	for i, c := range t.Checks {
		t.Checks[i].Detail, t.Checks[i].Error, t.Checks[i].Why = hide(c.Detail), hide(c.Error), hide(c.Why)
	}
	if t.Timing != nil {
		t.Timing.Error = hide(t.Timing.Error)
	}
	if d := t.Diagnosis; d != nil {
		d.Cause = hide(d.Cause)
		for i := range d.Evidence {
			d.Evidence[i] = hide(d.Evidence[i])
		}
	}
}
