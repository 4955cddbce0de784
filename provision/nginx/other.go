package nginx

import (
	"context"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"wsprovision/provision/nginx/conf"
)

// Other is a master of nginx that is not the one which reads the configuration of an Nginx.
type Other struct {
	PID   int
	Title string // its command line, as nginx shows it
	Why   string // how it is told from ours
	// Same: it reads our configuration, but is not the process that was named as ours.
	Same bool
	// onlyUser: it is run by an unprivileged user and is like ours otherwise, as nginx.service with a User= would be.
	onlyUser bool
}

func (o Other) String() string {
	return fmt.Sprintf("process %d (%.200s), which %s", o.PID, o.Title, o.Why)
}

// OtherError says that where our master was looked for there is another nginx's.
type OtherError struct{ Other Other }

func (e *OtherError) Error() string { return "another nginx runs: " + e.Other.String() }

// Is makes it ErrNotRunning: the nginx that was asked for does not run.
func (e *OtherError) Is(target error) bool { return target == ErrNotRunning }

// Others are the masters on this host but for the process ours, 0 for none: of another configuration, of a container,
// of another user, or one that was started by hand.
func (n Nginx) Others(ctx context.Context, ours int) ([]Other, error) {
	pids, err := n.table().named(ctx)
	if err != nil {
		return nil, fmt.Errorf("other masters of nginx: %w", err)
	}
	var all []Other
	for _, pid := range pids {
		title, err := n.table().title(ctx, pid)
		if err != nil || pid == ours || !strings.HasPrefix(title, masterTitle) {
			continue
		}
		o := n.other(ctx, pid, title)
		if o.Why == "" {
			o.Why, o.Same = "reads "+n.conf()+" too", true
		}
		all = append(all, o)
	}
	return all, nil
}

// other tells a master from ours; Why is "" where nothing tells them apart. What cannot be seen without root does not.
func (n Nginx) other(ctx context.Context, pid int, title string) Other {
	o := Other{PID: pid, Title: title}
	conf := confOf(title)
	exe, sameExe := n.table().executable(pid)
	switch uid := n.table().user(ctx, pid); {
	case n.table().contained(ctx, pid):
		o.Why = "runs in a container or a chroot"
	case !sameExe:
		o.Why = fmt.Sprintf("is %s and not %s", exe, n.program())
	case conf != "" && !n.reads(conf):
		o.Why = fmt.Sprintf("reads %s and not %s", conf, n.conf())
	case uid != "" && uid != "0" && uid != fmt.Sprint(os.Geteuid()):
		o.Why, o.onlyUser = "is run by user "+uid+" and not by root", true
	}
	return o
}

// reads reports whether a path that -c names is our configuration: there may be links on either way. The directory
// counts too, because includes may be relative to it.
func (n Nginx) reads(conf string) bool {
	if slices.Contains([]string{n.conf(), n.Root + n.conf()}, path.Clean(conf)) {
		return true
	}
	return sameFile(n.Root+conf, n.Root+n.conf()) && sameFile(n.Root+path.Dir(conf), n.Root+path.Dir(n.conf()))
}

func sameFile(a, b string) bool {
	its, err := os.Stat(a)
	ours, oursErr := os.Stat(b)
	return err == nil && oursErr == nil && os.SameFile(its, ours)
}

// confOf is the file that -c in a master's title names; "" where nothing does. A path that is not absolute counts from
// the prefix (-p).
func confOf(title string) string {
	_, args, _ := strings.Cut(title, masterTitle+" ")
	conf, prefix := "", conf.EPEL().Prefix
	words := strings.Fields(args)
	for len(words) > 1 {
		words = words[1:]
		letter, value := option(words)
		switch letter {
		case 'c':
			conf = value
		case 'p':
			prefix = value
		}
	}
	if conf == "" || path.IsAbs(conf) {
		return conf
	}
	return path.Join(prefix, conf)
}

// option reads the first word as nginx does (ngx_get_options): letters behind a dash, the last of which may take the
// rest of the word or the next one. Other words belong to the value of -g, whose quotes a title has lost.
func option(words []string) (letter byte, value string) {
	letters, dash := strings.CutPrefix(words[0], "-")
	if !dash {
		return 0, ""
	}
	at := strings.IndexAny(letters, "cpges")
	switch {
	case at < 0:
		return 0, ""
	case at+1 < len(letters):
		return letters[at], letters[at+1:]
	case len(words) > 1:
		return letters[at], words[1]
	}
	return letters[at], ""
}

// executable compares what the process runs with our nginx. After an update it runs what is deleted.
func (ta table) executable(pid int) (exe string, same bool) {
	link := ta.procPath(pid, "exe")
	exe, err := os.Readlink(link)
	if err != nil {
		return "", true
	}
	its, err := os.Stat(link)
	if ours, oursErr := os.Stat(ta.Root + ta.program()); err == nil && oursErr == nil && os.SameFile(its, ours) {
		return exe, true
	}
	exe = strings.TrimSuffix(exe, " (deleted)")
	real, err := filepath.EvalSymlinks(ta.program())
	return exe, exe == ta.program() || err == nil && exe == real
}

// contained: the process has another root directory than this one, or numbers its processes itself. A mount namespace
// says nothing: PrivateTmp= of EPEL's nginx.service makes one.
func (ta table) contained(ctx context.Context, pid int) bool {
	its, err := os.Stat(ta.procPath(pid, "root") + "/.")
	if ours, oursErr := os.Stat("/."); err == nil && oursErr == nil && !os.SameFile(its, ours) {
		return true
	}
	theirs, err := os.Readlink(ta.procPath(pid, "ns/pid"))
	ours, oursErr := os.Readlink(path.Join(ta.proc(), "self/ns/pid"))
	return err == nil && oursErr == nil && theirs != ours
}

// user is the effective user of a process, as a number; "" where it cannot be told.
func (ta table) user(ctx context.Context, pid int) string {
	ids := strings.Fields(ta.status(ctx, pid, "Uid"))
	if len(ids) < 2 {
		return ""
	}
	return ids[1]
}
