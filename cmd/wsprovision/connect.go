package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"wsprovision/cmd/wsprovision/cmdline"
	"wsprovision/cmd/wsprovision/screen"
	"wsprovision/cmd/wsprovision/show"
	"wsprovision/provision/plaintext"
	"wsprovision/provision/websocket"
	"wsprovision/provision/websocket/handshake"
)

// connectOptions are the flags of connect.
type connectOptions struct {
	client   cmdline.ClientOptions
	options  websocket.ConnectOptions
	address  string
	showHead bool
}

func (a *app) connectCommand() *cobra.Command {
	var o connectOptions
	cmd := &cobra.Command{
		Use:   "connect URL",
		Short: "Send lines over a WebSocket and print what comes back",
		Long: `Send each line of standard input as a message and print each message that comes
back as a line, until Ctrl-D, a signal, or the server's close. At the end of the
input the answers that are outstanding are waited for. Binary messages are
printed in hexadecimal; in text, a line end, a control character and what else
would steer a terminal is printed as an escape, such as \u001b (see --raw). What
the server closed with is said on standard error.

Exit status:
  0   closed properly (1000, 1001 or without a code)
  1   no WebSocket came about, or it was closed otherwise
  64  usage`,
		Example: `  wsprovision connect ws://ws.example.com/ws/
  echo hello | wsprovision connect --address 127.0.0.1:80 ws://ws.example.com/ws/
  wsprovision connect --insecure --header "Authorization: Bearer x" wss://ws.example.com/`,
		Args: oneURL,
		RunE: func(cmd *cobra.Command, args []string) error { return a.connect(cmd.Context(), o, args[0]) },
	}
	o.client.Register(cmd)
	flags := cmd.Flags()
	flags.StringVar(&o.address, "address", "", "dial this `host:port` (default what the URL says)")
	cmdline.AddDuration(flags, &o.options.Ping, "ping", 0,
		"send a ping every `duration`, and want its pong; 0s sends none")
	o.options.Wait = 2 * time.Second
	flags.Var(cmdline.Duration{At: &o.options.Wait, Forever: true}, "wait",
		"after the end of the input wait this `duration` for answers, or forever")
	flags.BoolVarP(&o.options.SendBinary, "binary", "b", false, "send lines as binary messages")
	flags.BoolVar(&o.options.Raw, "raw", false, "print messages as they are, whatever a terminal makes of them")
	flags.BoolVar(&o.options.Compress, "compress", false, "offer permessage-deflate")
	flags.BoolVarP(&o.showHead, "include", "i", false, "show the answer to the handshake on standard error")
	return cmd
}

func (a *app) connect(ctx context.Context, o connectOptions, url string) error {
	t, err := handshake.ParseURL(url)
	if err != nil {
		return cmdline.Misused(err)
	}
	if t.Header, err = o.client.Header(); err != nil {
		return err
	}
	if t.TLS != nil {
		if t.TLS, err = o.client.TLS(); err != nil {
			return err
		}
	}
	t.Origin, t.Subprotocols = o.client.Origin, o.client.Subprotocols
	if o.address != "" {
		t.Address = o.address
	}
	if err := t.Validate(); err != nil {
		return cmdline.Misused(err)
	}
	if o.options.Wait == 0 { // which would be ConnectOptions' default
		o.options.Wait = time.Nanosecond
	}
	opened := false
	o.options.Opened = func(h handshake.Result) { opened = true; a.opened(h, o.showHead) }
	var out io.Writer = a.stdout
	if o.options.Raw {
		out = a.raw
	}
	code, reason, err := websocket.Connect(ctx, t, os.Stdin, out, o.options)
	switch {
	case !opened && ctx.Err() != nil:
		return fmt.Errorf("%w: %w", context.Cause(ctx), err)
	case err != nil && ctx.Err() == nil && !opened:
		return fmt.Errorf("%w\n%s", err, show.AfterConnect(err, url))
	case err != nil && ctx.Err() == nil:
		return err
	case code == 1000 || code == 1001 || code == 1005 || ctx.Err() != nil:
		return nil
	}
	return fmt.Errorf("closed with %d %s", code, plaintext.Line(reason))
}

func oneURL(_ *cobra.Command, args []string) error {
	if len(args) != 1 {
		return cmdline.Misused(errors.New("connect takes one URL, such as ws://ws.example.com/ws/"))
	}
	return nil
}

// opened shows what the handshake settled.
func (a *app) opened(h handshake.Result, all bool) {
	if all {
		a.stderr.Line(screen.Styled(screen.Plainly, h.StatusLine))
		_ = h.Header.Write(screen.CRLF{W: a.stderr})
	}
	if h.Subprotocol != "" {
		a.say("subprotocol " + h.Subprotocol)
	}
}
