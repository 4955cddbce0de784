package host

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"wsprovision/provision/plaintext"
)

// searchPath is where programs are looked for: root's PATH on RHEL 7 without
// /usr/local, which an administrator may have filled with wrappers.
const searchPath = "/usr/sbin:/usr/bin:/sbin:/bin"

// outputLimit bounds what is kept of a program's output, in bytes a stream.
const outputLimit = 4 << 20

// Runner runs programs with a clean environment and logs each once.
type Runner struct {
	Seam *Seam
	// Log takes one line for each program run; Changing says whether it could
	// have changed the host. May be nil.
	Log func(line string, changing bool)
}

// Read runs a program that only reads; any other call is refused.
func (r *Runner) Read(ctx context.Context, stdin string, argv ...string) (stdout, stderr string, status int,
	err error) {
	p, err := LookUp(argv)
	if err != nil {
		return "", "", 0, err
	}
	if !p.OnlyReads(argv[1:]) {
		return "", "", 0, fmt.Errorf("run %s: it may change the host and was called as if it only read",
			plaintext.Command(argv))
	}
	ctx, cancel := context.WithTimeout(ctx, p.reading)
	defer cancel()
	return r.run(ctx, stdin, argv, false)
}

// Change runs a program that changes the host. It is not ended with ctx: a
// half-done transaction is worse than a late one. Only its deadline ends it.
func (r *Runner) Change(ctx context.Context, stdin string, argv ...string) (stdout, stderr string, status int,
	err error) {
	p, err := LookUp(argv)
	if err != nil {
		return "", "", 0, err
	}
	if err := ctx.Err(); err != nil {
		return "", "", 0, fmt.Errorf("run %s: %w", plaintext.Command(argv), context.Cause(ctx))
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), p.changing)
	defer cancel()
	err = r.Seam.Do("run "+plaintext.Command(argv), func() error {
		stdout, stderr, status, err = r.run(ctx, stdin, argv, true)
		return err
	})
	return stdout, stderr, status, err
}

func (r *Runner) run(ctx context.Context, stdin string, argv []string, changing bool) (string, string, int, error) {
	path, err := find(argv[0])
	if err != nil {
		return "", "", 0, fmt.Errorf("run %s: %w", plaintext.Command(argv), err)
	}
	cmd := exec.CommandContext(ctx, path, argv[1:]...)
	cmd.Env = environment(os.Environ())
	cmd.Dir = "/"
	cmd.Stdin = strings.NewReader(stdin)
	// A process group of its own: ^C on the terminal is ours to handle and
	// must not reach a yum in the middle of its transaction.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 30 * time.Second
	stdout, stderr := &limited{}, &limited{}
	cmd.Stdout, cmd.Stderr = stdout, stderr
	start := time.Now()
	err = cmd.Run()
	status, err := verdict(ctx, cmd, err)
	r.log(argv, status, err, time.Since(start), changing)
	if err != nil {
		err = fmt.Errorf("run %s: %w", plaintext.Command(argv), err)
	}
	return stdout.String(), stderr.String(), status, err
}

// verdict separates an exit status, which is data, from not having run or
// having been killed, which are errors.
func verdict(ctx context.Context, cmd *exec.Cmd, err error) (int, error) {
	var exit *exec.ExitError
	switch {
	case ctx.Err() != nil:
		return -1, fmt.Errorf("ended by its deadline or by the run's end: %w", context.Cause(ctx))
	case err == nil:
		return 0, nil
	case !errors.As(err, &exit):
		return -1, err
	case !exit.Exited():
		return -1, fmt.Errorf("killed: %w", err)
	}
	return exit.ExitCode(), nil
}

func (r *Runner) log(argv []string, status int, err error, took time.Duration, changing bool) {
	if r.Log == nil {
		return
	}
	result := fmt.Sprintf("exit status %d", status)
	if err != nil {
		result = err.Error()
	}
	r.Log(fmt.Sprintf("run %s: %s, %.1fs", plaintext.Command(argv), result, took.Seconds()), changing)
}

// find looks a program up in searchPath, whatever PATH says.
func find(name string) (string, error) {
	if filepath.IsAbs(name) {
		return name, nil
	}
	for dir := range strings.SplitSeq(searchPath, ":") {
		path := filepath.Join(dir, name)
		if fi, err := os.Stat(path); err == nil && fi.Mode().IsRegular() && fi.Mode()&0o111 != 0 {
			return path, nil
		}
	}
	return "", fmt.Errorf("%w: no %s in %s", exec.ErrNotFound, name, searchPath)
}

// environment is what a child gets: untranslated messages, a fixed PATH, and
// of ours only what reaches the network or a home directory for it.
func environment(ours []string) []string {
	env := []string{"LC_ALL=C", "PATH=" + searchPath, "HOME=/root", "TERM=dumb"}
	for _, kv := range ours {
		name, _, _ := strings.Cut(kv, "=")
		switch strings.ToLower(name) {
		case "http_proxy", "https_proxy", "ftp_proxy", "no_proxy", "tmpdir":
			env = append(env, kv)
		}
	}
	return env
}

// limited keeps the first half and the last half of what it may hold; the
// beginning says what was tried and the end says what went wrong.
type limited struct {
	head, tail bytes.Buffer
	dropped    bool
}

func (l *limited) Write(p []byte) (int, error) {
	n := len(p)
	if room := outputLimit/2 - l.head.Len(); room > 0 {
		k := min(room, len(p))
		l.head.Write(p[:k])
		p = p[k:]
	}
	l.tail.Write(p)
	if over := l.tail.Len() - outputLimit/2; over > 0 {
		l.tail.Next(over)
		l.dropped = true
	}
	return n, nil
}

func (l *limited) String() string {
	if l.dropped {
		return l.head.String() + "\n[…]\n" + l.tail.String()
	}
	return l.head.String() + l.tail.String()
}
