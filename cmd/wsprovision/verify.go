package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"wsprovision/cmd/wsprovision/cmdline"
	"wsprovision/cmd/wsprovision/show"
	"wsprovision/provision"
	"wsprovision/provision/config"
	"wsprovision/provision/host"
	"wsprovision/provision/plaintext"
	"wsprovision/provision/verify"
	"wsprovision/provision/websocket"
	"wsprovision/provision/websocket/handshake"
)

// verifyOptions are the flags of verify that are not configuration.
type verifyOptions struct {
	client      cmdline.ClientOptions
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
		Use:   "verify [URL]",
		Short: "Prove every WebSocket, and say why where one fails",
		Long: `Send WebSockets through nginx to every configured location, at every address of
its site, or to the URL: TCP, TLS, upgrade, headers, digest, a text and a binary
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
  wsprovision verify wss://ws.example.com/ws/ --idle 70s
  wsprovision verify --with-echo
  wsprovision verify --count 1000 --concurrency 50 --output json`,
		Args: func(_ *cobra.Command, args []string) error { return o.takeURL(args) },
		RunE: func(cmd *cobra.Command, _ []string) error { return a.verify(cmd, o) },
	}
	cmdline.AddSettings(cmd, true)
	o.client.Register(cmd)
	flags := cmd.Flags()
	flags.StringVar(&o.url, "url", "", "the same as the argument `URL`: ws:// or wss://, in place of the configured "+
		"locations")
	cmdline.AddDuration(flags, &o.idle, "idle", 0,
		"a silent connection has to live for this `duration`; nginx's own default cuts at 60s")
	cmdline.AddDuration(flags, &o.timeout, "timeout", 10*time.Second, "give up a check after this `duration`")
	flags.BoolVar(&o.withEcho, "with-echo", false,
		"start an echo backend in place of one on the loopback that does not run")
	flags.IntVar(&o.count, "count", 0, "open this `number` of connections besides, and time them")
	flags.IntVar(&o.concurrency, "concurrency", 1, "this `number` of them at a time")
	cmdline.AddChoice(cmd, flags, &o.explain, "explain", "", "say why a check failed", "always", "never")
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
	switch {
	case a.output == "json":
		err = show.JSON(a.stdout, report)
	case !a.quiet || report.Result != verify.OK || len(report.Warnings) > 0:
		err = show.Verdict(a.stdout, report)
	}
	if err != nil {
		return err
	}
	if report.Result != verify.OK {
		return outcome(exitFailed)
	}
	return nil
}

func (a *app) verification(cmd *cobra.Command, o verifyOptions) (*verify.Verification, error) {
	if err := o.check(); err != nil {
		return nil, cmdline.Misused(err)
	}
	c, err := a.load(cmd)
	if err == nil && o.url == "" { // a URL needs no site
		err = a.requireSites(c)
	}
	if err != nil {
		return nil, err
	}
	where, err := a.where()
	if err != nil {
		return nil, err
	}
	out := a.newOutput(cmd.Name())
	h := host.New(where, out.log, out.notice, a.seam)
	v := &verify.Verification{
		Host: h, Config: provision.OnHost(h, c), Agent: version,
		URL: o.url, Origin: o.client.Origin, Subprotocols: o.client.Subprotocols, Idle: o.idle, Timeout: o.timeout,
		WithEcho: o.withEcho, Load: websocket.Load{Count: o.count, Concurrency: o.concurrency},
		Mute: o.explain == "never",
	}
	if a.verbose {
		v.Log = func(line string) { out.say("echo: " + plaintext.Line(line)) }
	}
	if len(c.Sites) > 0 {
		v.Apply = a.applyArguments(cmd)
	}
	if v.Header, err = o.client.Header(); err != nil {
		return nil, err
	}
	sent := handshake.Target{Host: "any.invalid", Header: v.Header, Origin: v.Origin, Subprotocols: v.Subprotocols}
	if err := sent.Validate(); err != nil {
		return nil, cmdline.Misused(err)
	}
	if v.TLS, err = o.client.TLS(); err != nil {
		return nil, err
	}
	v.Finished = func(t verify.TargetReport) {
		if a.output == "text" && (!a.quiet || t.Result != verify.OK) {
			show.Target(a.stdout, t)
		}
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

// takeURL takes the one argument.
func (o *verifyOptions) takeURL(args []string) error {
	switch {
	case len(args) == 0:
		return nil
	case len(args) > 1:
		return cmdline.Misused(fmt.Errorf("verify takes one URL, and no %q; without one it takes those of the "+
			"configuration",
			args[1]))
	case o.url != "" && o.url != args[0]:
		return cmdline.Misused(fmt.Errorf("verify takes one URL, and both --url %s and %s are given", o.url, args[0]))
	}
	o.url = args[0]
	return nil
}

func (o verifyOptions) check() error {
	if o.url != "" {
		if _, err := handshake.ParseURL(o.url); err != nil {
			return err
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
	case o.timeout == 0:
		return errors.New("--timeout 0s: it is more than 0s")
	}
	return nil
}
