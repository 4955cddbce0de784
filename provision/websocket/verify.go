package websocket

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"wsprovision/provision/websocket/handshake"
)

// Check is one thing that was looked at.
type Check struct {
	// Name is stable: tcp, certificate, upgrade, headers, accept, expect, text-echo, binary-64k-echo, ping, close,
	// no-upgrade-without-header, other-host, idle.
	Name string
	OK   bool
	// Skipped is why the check was not made; OK is then false and Err nil.
	Skipped string
	Took    time.Duration
	Detail  string         // what was seen, in a few words
	Err     error          // why it is not OK; the types are Probe's, and EchoError, CloseError and IdleError
	Peer    string         // of tcp: the address that took the connection
	TLS     *handshake.TLS // of certificate: what the session showed
}

// NoWebSocket is why what needs an open WebSocket is skipped where there is none.
const NoWebSocket = "there is no WebSocket to try it on"

// Failed is neither OK nor skipped.
func (c Check) Failed() bool { return !c.OK && c.Skipped == "" }

// Options are what Verify cannot find out by itself.
type Options struct {
	Echo Echo
	// Idle is how long a connection without traffic must live; 0 leaves the check out. nginx's own default cuts at 60
	// s.
	Idle time.Duration
	// OtherHost is a name that must not reach this site; "" leaves the check out.
	OtherHost string
	// Timeout is for each check (idle: besides Idle); 0 is 10 s.
	Timeout time.Duration
	// EchoWait is how long EchoAuto waits for an echo before it takes the backend for one that does not; 0 is 2 s.
	EchoWait time.Duration
}

func (o Options) withDefaults() Options {
	if o.Timeout <= 0 {
		o.Timeout = 10 * time.Second
	}
	if o.EchoWait <= 0 {
		o.EchoWait = 2 * time.Second
	}
	if o.EchoWait > o.Timeout || o.Echo == EchoYes {
		o.EchoWait = o.Timeout
	}
	return o
}

// skip is an outcome, not a fault.
type skip string

func (s skip) Error() string { return string(s) }

type verifier struct {
	target  handshake.Target
	options Options
	session *session // shared by the checks that send; reopened if a check has spent it
	echoed  bool     // the backend is an echo, by its answer to the text
	silent  string   // why the backend is taken not to echo; "" while it may
}

// Verify makes every check, in the order of the names at Check. What a failed check makes pointless is skipped, so the
// first failure is the cause. At most four connections are open one after the other.
func Verify(ctx context.Context, t handshake.Target, o Options) []Check {
	v := &verifier{target: t, options: o.withDefaults()}
	defer v.drop()
	list, up := v.opening(ctx)
	for _, c := range []struct {
		name  string
		extra time.Duration
		run   func(context.Context) (string, error)
	}{
		{"text-echo", 0, v.text},
		{"binary-64k-echo", 0, v.binary},
		{"ping", 0, v.ping},
		{"close", 0, v.close},
		{"no-upgrade-without-header", 0, v.plain},
		{"other-host", 0, v.otherHost},
		{"idle", v.options.Idle, v.idle},
	} {
		if !up {
			list = append(list, Check{Name: c.name, Skipped: NoWebSocket})
			continue
		}
		list = append(list, v.check(ctx, c.name, c.extra, c.run))
	}
	return list
}

func (v *verifier) check(ctx context.Context, name string, extra time.Duration,
	run func(context.Context) (string, error)) Check {
	start := time.Now()
	ctx, cancel := context.WithTimeout(ctx, v.options.Timeout+extra+v.target.Pace.Least())
	defer cancel()
	c := Check{Name: name}
	c.Detail, c.Err = run(ctx)
	c.Took = time.Since(start)
	var s skip
	if errors.As(c.Err, &s) {
		c.Skipped, c.Err = string(s), nil
	}
	c.OK = c.Err == nil && c.Skipped == ""
	return c
}

// opening makes one handshake and says of each of its stages how it went.
func (v *verifier) opening(ctx context.Context) (list []Check, up bool) {
	ctx, cancel := context.WithTimeout(ctx, v.options.Timeout+v.target.Pace.Least())
	defer cancel()
	hs, err := Probe(ctx, v.target)
	broken := "" // the stage that failed
	for _, s := range stages(v.target, hs) {
		c := Check{Name: s.name, Took: s.took, Detail: s.detail}
		switch {
		case broken != "":
			c.Skipped, c.Took, c.Detail = broken+" failed", 0, ""
		case s.skipped != "":
			c.Skipped = s.skipped
		default:
			c.Err = s.part(err)
			c.OK = c.Err == nil
		}
		switch s.name {
		case "tcp":
			c.Peer = hs.Peer
		case "certificate":
			c.TLS = hs.TLS
		}
		if c.Failed() && s.name != "headers" { // headers and digest are judged together
			broken = s.name
		}
		list = append(list, c)
	}
	return list, err == nil && hs.Accepted
}

type stage struct {
	name    string
	took    time.Duration
	detail  string
	skipped string
	part    func(error) error // the part of Probe's error that is this stage's
}

func stages(t handshake.Target, hs handshake.Result) []stage {
	list := []stage{{name: "tcp", took: hs.Dial, detail: arrow(hs), part: func(err error) error {
		if err == nil || hs.Peer != "" {
			return nil
		}
		return err // DialError, or a target that cannot be
	}}}
	if t.TLS != nil {
		list = append(list, certificateStage(hs))
	}
	list = append(list, stage{name: "upgrade", took: hs.Upgrade, detail: hs.StatusLine, part: partOfUpgrade(hs)})
	opened := []stage{
		{name: "headers", detail: "Upgrade and Connection", part: pick[*handshake.HeaderError]},
		{name: "accept", detail: "Sec-WebSocket-Accept is the digest of the key", part: pick[*handshake.AcceptError]},
	}
	if text := t.Expect.String(); text != "" {
		opened = append(opened, stage{name: "expect", detail: text, part: pick[*handshake.ExpectError]})
	}
	for i := range opened {
		if hs.Status != http.StatusSwitchingProtocols {
			opened[i].skipped = NoWebSocket
		}
	}
	return append(list, opened...)
}

// partOfUpgrade leaves out what is wrong with a 101, which has stages of its own.
func partOfUpgrade(hs handshake.Result) func(error) error {
	return func(err error) error {
		var other *handshake.ExpectError
		switch {
		case errors.As(err, &other) && other.What != handshake.ExpectStatus:
			return nil
		case other == nil && hs.Status == http.StatusSwitchingProtocols:
			return pick[*handshake.ResponseError](err) // time ran out just then
		}
		return err
	}
}

func pick[E error](err error) error {
	var e E
	if errors.As(err, &e) {
		return e
	}
	return nil
}

func arrow(hs handshake.Result) string {
	if hs.Peer == "" {
		return ""
	}
	return hs.Local + " to " + hs.Peer
}

func certificateStage(hs handshake.Result) stage {
	s := stage{name: "certificate", part: pick[*handshake.TLSError]}
	f := hs.TLS
	if f == nil {
		return s
	}
	s.took = f.Took
	if f.Untrusted != nil && hs.Status != 0 {
		s.skipped = "not verified, as asked; it would fail: " + f.Untrusted.Error()
	}
	if len(f.Chain) > 0 {
		leaf := f.Chain[0]
		days := int(time.Until(leaf.NotAfter).Hours() / 24)
		s.detail = fmt.Sprintf("%s for %s, until %s (%d days), %s",
			handshake.Brief(leaf.Subject), handshake.Brief(fmt.Sprint(leaf.Names)),
			leaf.NotAfter.Format(time.DateOnly), days, f.Version)
	}
	return s
}
