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
	Version     int               `json:"verify_version"`
	Agent       string            `json:"agent_version"`
	Started     time.Time         `json:"started"`
	Millis      int64             `json:"duration_ms"`
	Result      string            `json:"result"` // ok or failed
	Targets     []TargetReport    `json:"targets"`
	Warnings    []cause.Diagnosis `json:"warnings,omitempty"`
	Interrupted string            `json:"interrupted,omitempty"`
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
