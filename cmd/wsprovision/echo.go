package main

import (
	"fmt"
	"net"
	"sync"

	"github.com/spf13/cobra"

	"wsprovision/provision/websocket"
)

func (a *app) echoCommand() *cobra.Command {
	var listen string
	cmd := &cobra.Command{
		Use:   "echo",
		Short: "Be a WebSocket backend that echoes",
		Long: `Answer every text message with "Echo: " and the message, and every binary one
with itself, until SIGINT, SIGTERM or SIGHUP, which its terminal's end sends.
Every path and Origin is accepted. Clients and what they send are logged on
standard error.

Exit status:
  0   ended by a signal
  1   it could not listen
  64  usage`,
		Example: `  wsprovision echo --listen 127.0.0.1:3000`,
		Args:    noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if _, _, err := net.SplitHostPort(listen); err != nil {
				return usageError{fmt.Errorf("--listen %q: it is host:port, such as 127.0.0.1:3000", listen)}
			}
			listener, err := net.Listen("tcp", listen)
			if err != nil {
				return fmt.Errorf("echo: %w", err)
			}
			var mu sync.Mutex
			say := func(line string) {
				mu.Lock()
				defer mu.Unlock()
				fmt.Fprintln(a.stderr, line)
			}
			say("Listening on " + listener.Addr().String())
			return websocket.Serve(cmd.Context(), listener, say)
		},
	}
	cmd.Flags().StringVar(&listen, "listen", "127.0.0.1:3000", "`host:port` to listen on; port 0 takes a free one")
	return cmd
}
