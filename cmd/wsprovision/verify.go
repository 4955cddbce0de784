package main

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"wsprovision/provision"
	"wsprovision/provision/config"
	"wsprovision/provision/diagnose"
	"wsprovision/provision/host"
	"wsprovision/provision/plaintext"
	"wsprovision/provision/websocket"
)

// clientOptions are the flags of every command that is a WebSocket's client.
type clientOptions struct {
	headers      []string
	subprotocols []string
	origin       string
	insecure     bool
	authority    string
}

func (o *clientOptions) register(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringArrayVarP(&o.headers, "header", "H", nil,
		"send this `\"Name: value\"` with the handshake; may be given more than once")
	flags.StringArrayVar(&o.subprotocols, "subprotocol", nil, "offer this `name`; may be given more than once")
	flags.StringVar(&o.origin, "origin", "", "send this `Origin`, as a browser on that site would")
	flags.BoolVar(&o.insecure, "insecure", false, "wss: take any certificate")
	flags.StringVar(&o.authority, "ca", "", "wss: trust the certificates in this PEM `file` instead of the host's")
}

func (o clientOptions) header() (http.Header, error) {
	h := http.Header{}
	for _, line := range o.headers {
		name, value, ok := strings.Cut(line, ":")
		if !ok || strings.TrimSpace(name) == "" {
			return nil, usageError{fmt.Errorf("--header %q: it is \"Name: value\"", line)}
		}
		h.Add(strings.TrimSpace(name), strings.TrimSpace(value))
	}
	return h, nil
}

func (o clientOptions) tls() (*tls.Config, error) {
	c := &tls.Config{MinVersion: tls.VersionTLS12, InsecureSkipVerify: o.insecure}
	if o.authority == "" {
		return c, nil
	}
	text, err := os.ReadFile(o.authority)
	if err != nil {
		return nil, usageError{fmt.Errorf("--ca: %w", err)}
	}
	c.RootCAs = x509.NewCertPool()
	if !c.RootCAs.AppendCertsFromPEM(text) {
		return nil, usageError{fmt.Errorf("--ca %s: no certificate is in it", o.authority)}
	}
	return c, nil
}

// verifyOptions are the flags of verify that are not configuration.
type verifyOptions struct {
	client      clientOptions
	url         string
	idle        time.Duration
	timeout     time.Duration
	withEcho    bool
	count       int
	concurrency int
	explain     string
}

func (a *app) verifyCommand() *cobra.Command {
	var o verifyOptions
	cmd := &cobra.Command{
		Use:   "verify",
		Short: "Prove every WebSocket, and say why where one fails",
		Long: `Send WebSockets through nginx to every configured location, at every address of
its site, or to one URL: TCP, TLS, upgrade, headers, digest, a text and a binary
message of 64 KiB where the backend echoes, ping, close; that plain HTTP is not
upgraded, and that another name does not reach the site. Where something fails,
the one cause is named, with the evidence and what mends it. Changes nothing.
Root sees most: audit log, nginx's logs and who holds a port are root's to read.

Exit status:
  0   every WebSocket went through
  1   one did not
  64  usage
  78  the configuration is wrong`,
		Example: `  wsprovision verify
  wsprovision verify --url wss://ws.example.com/ws/ --idle 70s
  wsprovision verify --with-echo
  wsprovision verify --count 1000 --concurrency 50 --output json`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.verify(cmd, o) },
	}
	addSettings(cmd)
	o.client.register(cmd)
	flags := cmd.Flags()
	flags.StringVar(&o.url, "url", "", "verify this `URL` (ws:// or wss://) in place of the configured locations")
	flags.DurationVar(&o.idle, "idle", 0,
		"a silent connection has to live for this `duration` (nginx's default cuts at 60s)")
	flags.DurationVar(&o.timeout, "timeout", 10*time.Second, "give up a check after this `duration`")
	flags.BoolVar(&o.withEcho, "with-echo", false,
		"start an echo backend in place of one on the loopback that does not run")
	flags.IntVar(&o.count, "count", 0, "open this `number` of connections besides, and time them")
	flags.IntVar(&o.concurrency, "concurrency", 1, "this `number` of them at a time")
	flags.StringVar(&o.explain, "explain", "always", "say why a check failed: `always or never`")
	return cmd
}

func (a *app) verify(cmd *cobra.Command, o verifyOptions) error {
	v, err := a.verification(cmd, o)
	if err != nil {
		return err
	}
	report, err := v.Run(cmd.Context())
	if err != nil {
		return err
	}
	if a.output == "json" {
		if err := writeJSON(a.stdout, report); err != nil {
			return err
		}
	} else {
		writeVerdict(a.stdout, report)
	}
	if report.Result != provision.VerifyOK {
		return outcome(exitFailed)
	}
	return nil
}

func (a *app) verification(cmd *cobra.Command, o verifyOptions) (*provision.Verification, error) {
	if err := errors.Join(a.checkOutput(), o.check()); err != nil {
		return nil, usageError{err}
	}
	c, err := a.load(cmd)
	if none := new(config.Error); o.url != "" && errors.As(err, &none) && len(c.Sites) == 0 &&
		c.RequireSites(defaultConfig) != nil && err.Error() == c.RequireSites(defaultConfig).Error() {
		err = nil // a URL needs no site
	}
	if err != nil {
		return nil, err
	}
	where, err := a.where()
	if err != nil {
		return nil, err
	}
	out := a.newOutput(cmd.Name())
	v := &provision.Verification{
		Host: host.New(where, out.log, out.notice, a.seam), Config: c, Agent: version,
		URL: o.url, Origin: o.client.origin, Subprotocols: o.client.subprotocols, Idle: o.idle, Timeout: o.timeout,
		WithEcho: o.withEcho, Load: websocket.Load{Count: o.count, Concurrency: o.concurrency},
		Mute: o.explain == "never",
	}
	if a.verbose {
		v.Log = func(line string) { out.say("echo: " + plaintext.Line(line)) }
	}
	if len(c.Sites) > 0 {
		v.Apply = a.applyArguments(cmd)
	}
	if v.Header, err = o.client.header(); err != nil {
		return nil, err
	}
	sent := websocket.Target{Host: "any.invalid", Header: v.Header, Origin: v.Origin, Subprotocols: v.Subprotocols}
	if err := sent.Validate(); err != nil {
		return nil, usageError{err}
	}
	if v.TLS, err = o.client.tls(); err != nil {
		return nil, err
	}
	if a.output == "text" {
		v.Finished = func(t provision.TargetReport) { writeTarget(a.stdout, t) }
	}
	return v, nil
}

// applyArguments is apply with the configuration that this command was given.
func (a *app) applyArguments(cmd *cobra.Command) []string {
	argv := []string{"wsprovision", "apply"}
	if a.configFile != "" {
		argv = append(argv, "--config", a.configFile)
	}
	for _, f := range config.Flags() {
		if flag := cmd.Flags().Lookup(f.Name); flag != nil && flag.Changed {
			argv = append(argv, "--"+f.Name+"="+flag.Value.String())
		}
	}
	return argv
}

func (o verifyOptions) check() error {
	switch {
	case o.explain != "always" && o.explain != "never":
		return fmt.Errorf("--explain %q: it is always or never", o.explain)
	case o.url != "":
		if _, err := websocket.ParseURL(o.url); err != nil {
			return fmt.Errorf("--url: %w", err)
		}
	}
	return o.bounds()
}

func (o verifyOptions) bounds() error {
	switch {
	case o.count < 0 || o.count > 100_000:
		return fmt.Errorf("--count %d: not between 0 and 100000", o.count)
	case o.concurrency < 1 || o.concurrency > 1000:
		return fmt.Errorf("--concurrency %d: not between 1 and 1000", o.concurrency)
	case o.idle < 0 || o.timeout <= 0:
		return errors.New("--idle and --timeout: a duration such as 70s")
	}
	return nil
}

func writeJSON(w io.Writer, report any) error {
	text, err := json.MarshalIndent(report, "", "  ")
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(w, string(text))
	return err
}

// writeTarget is one target for people.
func writeTarget(w io.Writer, t provision.TargetReport) {
	writeLine(w, "%s at %s: %s", t.URL, t.Address, t.Result)
	if t.Echo {
		writeLine(w, "  the backend %s does not run: an echo backend stood in for it", t.Backend)
	}
	for _, c := range t.Checks {
		detail := c.Detail
		switch c.Result {
		case provision.VerifyFailed:
			detail = c.Error
		case provision.VerifySkipped:
			detail = c.Why
		}
		writeLine(w, "  %-25s %-7s %8.1f ms  %s", c.Name, c.Result, c.Millis, detail)
	}
	if t.Timing != nil {
		writeTiming(w, *t.Timing)
	}
	if t.Diagnosis != nil {
		writeDiagnosis(w, "cause", *t.Diagnosis)
	}
}

func writeTiming(w io.Writer, t provision.TimingReport) {
	writeLine(w, "  %d connections in %.0f ms, %d failed%s", t.Count, t.Elapsed, t.Failed, prefixed(": ", t.Error))
	for _, row := range []struct {
		name string
		p    provision.Percentiles
	}{{"handshake", t.Handshake}, {"ping to pong", t.RoundTrip}} {
		writeLine(w, "  %-13s p50 %.1f ms, p90 %.1f ms, p99 %.1f ms, max %.1f ms", row.name, row.p.P50, row.p.P90,
			row.p.P99, row.p.Max)
	}
}

func writeDiagnosis(w io.Writer, word string, d diagnose.Diagnosis) {
	writeLine(w, "  %s: %s (%s)", word, d.Cause, d.Code)
	for _, e := range d.Evidence {
		writeItem(w, "    ", "evidence: "+e)
	}
	if !d.Mend.IsZero() {
		writeLine(w, "    to mend it: %s", d.Mend)
	}
}

func prefixed(prefix, text string) string {
	if text == "" {
		return ""
	}
	return prefix + text
}

func writeVerdict(w io.Writer, r *provision.VerifyReport) {
	for _, d := range r.Warnings {
		writeDiagnosis(w, "warning", d)
	}
	ok := 0
	for _, t := range r.Targets {
		if t.Result == provision.VerifyOK {
			ok++
		}
	}
	writeLine(w, "verify: %s, %.1fs: %d of %d%s", r.Result, float64(r.Millis)/1000, ok, len(r.Targets),
		prefixed("; interrupted: ", r.Interrupted))
}
