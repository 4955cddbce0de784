package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"wsprovision/cmd/wsprovision/cmdline"
	"wsprovision/cmd/wsprovision/screen"
	"wsprovision/provision/websocket"
)

func (a *app) echoCommand() *cobra.Command {
	var listen string
	limits := websocket.Limits{}
	cmd := &cobra.Command{
		Use:   "echo",
		Short: "Be a WebSocket backend that echoes",
		Long: `Answer every text message with "Echo: " and the message, and every binary one
with itself, until SIGINT, SIGTERM or SIGHUP, which its terminal's end sends.
Every path and Origin is accepted. Clients and what they send are logged on
standard error.

It is for tests, and holds little: messages of up to 1 MiB, 32 MiB for those of
all clients that are under way, and 30 s for a client to send one or to take
its echo. A connection over --max-connections is refused with 503.

Exit status:
  0   ended by a signal
  1   it could not listen
  64  usage`,
		Example: `  wsprovision echo --listen 127.0.0.1:3000`,
		Args:    cmdline.NoArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if _, _, err := net.SplitHostPort(listen); err != nil {
				return cmdline.Misused(fmt.Errorf("--listen %q: it is host:port, such as 127.0.0.1:3000", listen))
			}
			if err := checkEchoLimits(limits); err != nil {
				return cmdline.Misused(err)
			}
			listener, err := net.Listen("tcp", listen)
			if err != nil {
				return cannotListen(listen, err)
			}
			a.stderr.Line(screen.Styled(screen.Plainly, "Listening on "+listener.Addr().String()))
			say := a.echoLog()
			return websocket.Serve(cmd.Context(), listener, limits, say)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&listen, "listen", "127.0.0.1:3000", "`host:port` to listen on; port 0 takes a free one")
	flags.IntVar(&limits.Connections, "max-connections", 1024, "refuse a connection more than this `number` with 503")
	cmdline.AddDuration(flags, &limits.Idle, "idle-timeout", time.Hour,
		"close a connection without message and ping for this `duration`")
	return cmd
}

// echoLog is a log with the time of each line, but where the journal has it.
func (a *app) echoLog() func(line string) {
	var mu sync.Mutex
	return func(line string) {
		mu.Lock()
		defer mu.Unlock()
		if file, ok := a.stderr.W.(*os.File); !ok || !screen.IsJournal(int(file.Fd())) {
			line = time.Now().Format(time.RFC3339) + " " + line
		}
		a.stderr.Line(screen.Styled(screen.Plainly, line))
	}
}

// cannotListen says what to do about it.
func cannotListen(address string, err error) error {
	host, port, _ := net.SplitHostPort(address)
	next := "give another one: --listen 127.0.0.1:3000"
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		next = fmt.Sprintf("another program listens there (ss -ltnp 'sport = :%s' names it): stop it, or take a free "+
			"port: --listen %s", port, net.JoinHostPort(host, "0"))
	case errors.Is(err, syscall.EACCES):
		next = "only root may listen on a port below 1024: take a higher one, or run this as root"
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		next = "this host does not have that address (ip address shows those that it has): give one of its own"
	}
	return fmt.Errorf("echo: %w\n%s", err, next)
}

func checkEchoLimits(l websocket.Limits) error {
	switch {
	case l.Connections < 1:
		return fmt.Errorf("--max-connections %d: it is at least 1", l.Connections)
	case l.Idle == 0:
		return errors.New("--idle-timeout 0s: it is more than 0s")
	}
	return nil
}
