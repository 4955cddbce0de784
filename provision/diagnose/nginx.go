package diagnose

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"wsprovision/provision/host"
	"wsprovision/provision/nginx"
)

// invalid: nginx -t does not pass, so that nginx neither starts nor reloads.
func (q *inquiry) invalid(ctx context.Context) *Diagnosis {
	if q.Euid != 0 {
		if q.treeErr == nil {
			return nil
		}
		return q.problem(ctx, problemOf(q.treeErr.Error()))
	}
	problems, err := q.Nginx.Test(ctx, nil)
	if err != nil {
		return nil
	}
	for _, p := range problems {
		// What nginx only warns of keeps nobody from starting.
		if p.Fatal() && !strings.HasPrefix(p.Message, "conflicting server name ") {
			return q.problem(ctx, p)
		}
	}
	return nil
}

// problem explains what nginx -t, or an [emerg] line, complains of.
func (q *inquiry) problem(ctx context.Context, p nginx.Problem) *Diagnosis {
	if d := q.notSyntax(ctx, p); d != nil {
		return d
	}
	where, mend := host.NginxConf, say("mend ").name(host.NginxConf)
	if p.File != "" {
		where, mend = fmt.Sprintf("%s:%d", p.File, p.Line), say("mend ").line(p.File, p.Line)
	}
	mend = mend.say(thenServe)
	switch small := strings.HasPrefix(p.Message, "could not build server_names_hash"); {
	case q.ours(p.File), q.Site != nil && p.File == host.NamesPath, small && q.bucketsAreOurs():
		mend = q.applyCommand()
	case small:
		mend = say("set " + host.NamesBucket + " in http of " + host.NginxConf + ", or raise it where it is set").say(thenServe)
	}
	return diagnosis(NginxConfigInvalid, "nginx refuses its configuration: "+inWords(p)+" in "+where, mend,
		"nginx -t: "+p.String())
}

// bucketsAreOurs reports whether an apply sets the size that the names need.
func (q *inquiry) bucketsAreOurs() bool {
	_, err := os.Lstat(q.Root + host.NamesPath)
	return q.Site != nil && q.treeErr == nil && nginx.NamesBucket(q.Site.ServerNames) > 0 &&
		(err == nil || !q.tree.HTTP(host.NamesBucket))
}

// inWords says what the usual mistakes are.
func inWords(p nginx.Problem) string {
	switch m := p.Message; {
	case strings.HasPrefix(m, `"map" directive is not allowed here`):
		return "a map stands inside another block, such as server; its place is in http, before the server block"
	case strings.HasPrefix(m, `unexpected end of file, expecting "}"`):
		return "a brace is opened and not closed"
	case strings.HasPrefix(m, `unexpected "}"`):
		return "a brace is closed and was not opened, or a ; is missing before it"
	case strings.HasPrefix(m, "unknown directive "):
		return m + ": misspelt, or of a module that is not loaded"
	}
	return p.Message
}

// notSyntax are the complaints whose cause lies outside the configuration's text.
func (q *inquiry) notSyntax(ctx context.Context, p nginx.Problem) *Diagnosis {
	m, evidence := p.Message, "nginx: "+p.String()
	switch {
	case strings.HasPrefix(m, "host not found in "):
		name, _, _ := strings.Cut(strings.Trim(after(m, `"`), `"`), `"`)
		d := q.upstreamName(name)
		d.Evidence = append(d.Evidence, evidence)
		return d
	case bindNumber(m) == 13:
		return q.bindDenied(ctx)
	case bindNumber(m) == 98:
		return bindInUse(m, evidence)
	case NoSpaceLeft.MatchString(m):
		return q.noSpace(evidence)
	case TooManyFiles.MatchString(m):
		return q.openFiles()
	}
	return q.certificateProblem(m, evidence)
}

// bindNumber is the errno with which nginx may not bind, 0 for any other message.
func bindNumber(m string) int {
	_, number, _ := bindOf(m)
	return number
}

func bindInUse(m, evidence string) *Diagnosis {
	address, _, _ := bindOf(m)
	return diagnosis(NginxBindInUse,
		fmt.Sprintf("another program listens on %s, or did when nginx was started", address),
		do("ss", "-ltnp", fmt.Sprintf("sport = :%d", address.Port())).
			note("names it: stop it, then systemctl reload-or-restart nginx"), evidence)
}

func after(text, sep string) string {
	_, rest, _ := strings.Cut(text, sep)
	return rest
}

func (q *inquiry) upstreamName(name string) *Diagnosis {
	host, _, _ := strings.Cut(name, ":")
	if !nginx.IsHost(host) {
		return diagnosis(UpstreamUnresolved, "the name of a backend does not resolve on this host",
			say("add it to DNS or to /etc/hosts, or name the backend by its address; "+
				"then systemctl reload-or-restart nginx"))
	}
	return diagnosis(UpstreamUnresolved,
		fmt.Sprintf("the backend's name %s does not resolve on this host, and nginx neither starts nor reloads with "+
			"such a name", host),
		say("add ").name(host).say(" to DNS or to /etc/hosts (getent hosts ").name(host).
			say(" proves it), or name the backend by its address; then systemctl reload-or-restart nginx"))
}

// place is the location's, as evidence.
func (q *inquiry) place() string {
	switch {
	case q.route.Location != nil:
		return fmt.Sprintf("location %s in %s:%d", strings.Join(q.route.Location.Args, " "), q.route.Location.File,
			q.route.Location.Line)
	case q.route.Server != nil:
		return fmt.Sprintf("server block in %s:%d", q.route.Server.File, q.route.Server.Line)
	}
	return ""
}

// editRoute mends a directive that is in force for the location.
func (q *inquiry) editRoute(directive string, what Mend) Mend {
	if d := q.route.Value(directive); d != nil {
		return q.edit(d.File, d.Line, what)
	}
	if l := q.route.Location; l != nil {
		return q.edit(l.File, l.Line, what)
	}
	return what.say(" in nginx's configuration")
}

// newest is the file of the configuration that was changed last, where that
// was after nginx read it.
func (q *inquiry) newest() (file string, changed, read time.Time) {
	var start uint64
	for _, w := range q.master.Workers {
		if !w.ShuttingDown {
			start = max(start, w.Start)
		}
	}
	if start == 0 {
		return "", changed, read
	}
	read, err := q.Nginx.Started(start)
	if err != nil {
		return "", changed, read
	}
	var files []string
	for _, f := range q.tree.Files() {
		files = append(files, f.Path)
	}
	for _, name := range append(files, host.ConfDir) {
		if fi, err := os.Stat(q.Root + name); err == nil && fi.ModTime().After(changed) {
			file, changed = name, fi.ModTime()
		}
	}
	// A worker's start is good to a second or so.
	if !changed.After(read.Add(2 * time.Second)) {
		return "", changed, read
	}
	return file, changed, read
}

// older: nginx runs what it read before the configuration was changed.
func (q *inquiry) older(ctx context.Context) *Diagnosis {
	if !q.local() || q.gone != nil {
		return nil
	}
	file, changed, read := q.newest()
	if file == "" {
		return nil
	}
	evidence := fmt.Sprintf("%s was changed at %s; nginx's workers read the configuration at %s", file,
		changed.Format(time.DateTime), read.Format(time.DateTime))
	if d := q.invalid(ctx); d != nil {
		d.Evidence = append(d.Evidence, evidence)
		return d
	}
	return diagnosis(NginxOlder, "nginx runs an older configuration than the disk's", reload(),
		evidence, lastEmergency(q.errorLog(ctx)))
}
