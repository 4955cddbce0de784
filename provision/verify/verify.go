package verify

import (
	"cmp"
	"context"
	"crypto/tls"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"wsprovision/provision/config"
	"wsprovision/provision/diagnose"
	"wsprovision/provision/diagnose/cause"
	"wsprovision/provision/diagnose/facts"
	"wsprovision/provision/diagnose/server"
	"wsprovision/provision/host"
	"wsprovision/provision/nginx/conf"
	"wsprovision/provision/nginx/files"
	"wsprovision/provision/nginx/head"
	"wsprovision/provision/nginx/route"
	"wsprovision/provision/websocket"
	"wsprovision/provision/websocket/handshake"
)

// Verification proves the WebSockets of a configuration, or of one URL. It
// changes nothing.
type Verification struct {
	*host.Host
	Config config.Config
	Agent  string
	// Apply is the command that brings about Config, for what it mends; nil is
	// derived from Config.
	Apply []string
	// URL takes the place of the configuration's locations, if it is set.
	URL string
	// TLS is how wss is judged; nil is by the roots that the host trusts.
	TLS *tls.Config
	// Origin and Header are sent with every handshake; Subprotocols offered.
	Origin       string
	Header       http.Header
	Subprotocols []string
	// Idle is how long a silent connection has to live; 0 leaves it out.
	Idle time.Duration
	// Timeout is for each check; 0 is 10 s.
	Timeout time.Duration
	// WithEcho starts an echo backend in place of each one that does not run.
	WithEcho bool
	Echo     websocket.Echo
	// Load makes many connections besides, if its Count is not 0.
	Load websocket.Load
	// Mute leaves the diagnosis out.
	Mute bool
	// Finished is told of every target; it may be nil. Log takes the lines of
	// the echo backend.
	Finished func(TargetReport)
	Log      func(string)

	read  func() (conf.Tree, error) // the configuration, once
	paces paces
}

// Run makes every check. The error is of the request itself, such as a URL
// that is none; what became of the targets is in the report.
func (v *Verification) Run(ctx context.Context) (*Report, error) {
	start := time.Now()
	defer host.Disconnect(v.Host)
	report := &Report{Version: Version, Agent: v.Agent, Started: start.UTC()}
	aims, err := v.aims(ctx)
	if err != nil {
		return nil, err
	}
	report.Unproved = v.unproved()
	for _, a := range aims {
		if ctx.Err() != nil {
			break
		}
		t, warned, err := v.verify(ctx, a)
		if err != nil {
			return nil, err
		}
		report.warn(warned)
		report.Targets = append(report.Targets, t)
		if v.Finished != nil {
			v.Finished(t)
		}
	}
	if !v.Mute && ctx.Err() == nil {
		report.Warnings = append(report.Warnings, v.warnings(ctx, aims)...)
	}
	if cause := context.Cause(ctx); cause != nil {
		report.Interrupted = cause.Error()
	}
	report.Millis = time.Since(start).Milliseconds()
	report.settle()
	return report, nil
}

// unproved are the WebSockets that nothing can be asked of.
func (v *Verification) unproved() (all []Unproved) {
	for _, site := range v.Config.Sites {
		for _, l := range site.Locations {
			if v.URL == "" && l.WebSocket && !hasPath(l) {
				all = append(all, Unproved{site.Name, l.Path, pathless})
			}
		}
	}
	return all
}

func (v *Verification) verify(ctx context.Context, a aim) (TargetReport, []cause.Diagnosis, error) {
	t := TargetReport{URL: a.target.String(), Address: a.target.Address, Result: OK}
	if a.Site != nil {
		t.Site = a.Site.Name
	}
	if a.Location != nil {
		t.Backend = a.Location.BackendText()
	}
	if a.unread != nil {
		t.Result = Failed
		t.Checks = []CheckReport{{Name: "credentials", Result: Failed, Error: a.unread.Error()}}
		return t, nil, nil
	}
	echo := v.Echo
	if echo == websocket.EchoAuto && v.URL == "" && a.Location.Probe != nil {
		echo = websocket.EchoNo // a probe speaks an application's language, which is no echo
	}
	if v.WithEcho && a.Location != nil {
		stop, err := v.standIns(ctx, a.Location.Backends)
		if err != nil {
			return t, nil, err
		}
		if stop != nil {
			defer stop()
			t.Echo, echo = true, websocket.EchoYes
			a.target.Send, a.target.Expect = "", handshake.Expect{} // which are the application's
		}
	}
	warned := v.prove(ctx, a, &t, echo)
	t.hide(hider(a.target, a.sent))
	return t, warned, nil
}

// prove makes the checks of a target, and says why one failed.
func (v *Verification) prove(ctx context.Context, a aim, t *TargetReport, echo websocket.Echo) []cause.Diagnosis {
	tree, _ := v.tree()
	if !facts.JudgesReferer(tree) {
		a.target = facts.Recognisable(a.target)
	}
	if a.Site != nil && a.Location != nil {
		a.target.Pace = v.paces.location(*a.Site, *a.Location)
	}
	marks, began := facts.MarkLogs(v.Host, tree.Paths().ErrorLogs()...), time.Now()
	checks := websocket.Verify(ctx, a.target, websocket.Options{
		Echo: echo, Idle: v.Idle, Timeout: v.Timeout, OtherHost: v.otherHost(a),
	})
	var warned []cause.Diagnosis
	for _, c := range checks {
		if !v.Mute {
			warned = append(warned, server.CertificateWarnings(a.target, c.TLS, began)...)
		}
	}
	peak, name, err := v.judge(ctx, a, t, checks)
	if err == nil || ctx.Err() != nil {
		return warned
	}
	symptom := facts.Symptom{Site: a.Site, Location: a.Location, Target: a.target, Check: name, Err: err,
		Peer:  checks[0].Peer,
		Lines: facts.LogsSince(ctx, v.Host, marks), Began: began, Again: v.Apply, Load: v.Load, Peak: peak}
	if name == "upgrade" && v.URL == "" {
		t.Stop = stopped(ctx, v.Host, v.Config, symptom)
	}
	switch {
	case t.Stop != nil:
		t.endAt(*t.Stop)
	case !v.Mute:
		symptom.Own = OwnFile(ctx, v.Host, v.Config, a.Site)
		d := diagnose.Explain(ctx, v.Host, v.Config, symptom)
		t.Diagnosis = &d
	}
	return warned
}

// judge fills in the report and returns the first failure, with what was seen of nginx while many connections were
// tried.
func (v *Verification) judge(ctx context.Context, a aim, t *TargetReport, checks []websocket.Check) (peak facts.Peak,
	name string, first error) {
	for _, c := range checks {
		t.Checks = append(t.Checks, checkReport(c))
		if c.Failed() && first == nil {
			name, first = c.Name, c.Err
		}
	}
	if first == nil && v.Load.Count > 0 {
		name = facts.Measured
		peak, first = v.measure(ctx, a.target, checks[0].Peer, t)
	}
	if first != nil {
		t.Result = Failed
	}
	return peak, name, first
}

// measure makes the load, with an eye on nginx. Where it fails, as many connections are held for a moment: short ones
// come and go between two looks.
func (v *Verification) measure(ctx context.Context, target handshake.Target, peer string, t *TargetReport) (facts.Peak,
	error) {
	at, _ := netip.ParseAddrPort(peer)
	watch := func() facts.Peak { return facts.Peak{} }
	if !v.Mute {
		watch = facts.Watch(ctx, v.Host, at)
	}
	target.Pace = nil // what is measured is not held back
	timing, err := websocket.Measure(ctx, target, v.Load)
	peak := watch()
	if err != nil && !v.Mute && ctx.Err() == nil {
		peak.Held = websocket.Hold(ctx, target, v.Load, func() { peak = peak.With(facts.Look(ctx, v.Host, at)) })
	}
	t.Timing = timingReport(timing, err)
	t.Timing.Seen = peak.String()
	return peak, err
}

// tree is nginx's configuration as it stood when the verification began; of a broken one what was read serves.
func (v *Verification) tree() (conf.Tree, error) {
	if v.read == nil {
		v.read = sync.OnceValues(func() (conf.Tree, error) { return conf.Load(v.Root, host.NginxConf, nil) })
	}
	return v.read()
}

// otherHost is a name to try in vain, where another server block is there to
// answer it; a site that is the default server answers every name.
func (v *Verification) otherHost(a aim) string {
	at, err := netip.ParseAddrPort(a.target.Address)
	tree, loadErr := v.tree()
	if err != nil || loadErr != nil || a.Site == nil {
		return ""
	}
	unknown := head.Handshake(at, a.target.TLS != nil, facts.UnknownName, cmp.Or(a.target.Path, "/"), "")
	unknown.Proxied = a.target.Proxied
	r := route.Follow(tree, route.Host{Look: files.OnDisk(v.Root)}, unknown)
	if r.Server == nil || r.ByName || r.Server.File == v.SitePath(a.Site.Name) {
		return ""
	}
	if p := r.End.Pass; p != nil && a.Location != nil && !slices.ContainsFunc(p.Backends, a.Location.PassesTo) {
		return "" // somebody else's WebSocket, which may answer 101
	}
	return facts.UnknownName
}

// standInLimits leave room for the checks and for Load, and for little else: nginx lets everybody in.
func (v *Verification) standInLimits() websocket.Limits {
	return websocket.Limits{
		Connections: min(v.Load.Concurrency, 1000) + 32,
		Message:     1 << 20,
		Memory:      8 << 20,
		Transfer:    10 * time.Second,
		Idle:        v.Idle + time.Minute,
	}
}

func loopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback() || strings.EqualFold(host, "localhost")
}
