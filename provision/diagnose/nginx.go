package diagnose

import (
	"context"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"

	"wsprovision/provision/host"
	"wsprovision/provision/nginx"
)

// problemFound: nginx -t does not pass, so that nginx neither starts nor reloads.
func problemFound(ctx context.Context, e *evidence) *Diagnosis {
	if e.Euid != 0 {
		if e.treeErr == nil {
			return nil
		}
		return configProblem(ctx, e, problemOf(e.treeErr.Error()))
	}
	p := tested(ctx, e)
	if p == nil {
		return nil
	}
	return configProblem(ctx, e, *p)
}

// configProblem explains what nginx -t, or an [emerg] line, complains of.
func configProblem(ctx context.Context, e *evidence, p nginx.Problem) *Diagnosis {
	if d := notSyntax(ctx, e, p); d != nil {
		return d
	}
	where, mend := host.NginxConf, say("mend ").name(host.NginxConf)
	if p.File != "" {
		where, mend = fmt.Sprintf("%s:%d", p.File, p.Line), say("mend ").line(p.File, p.Line)
	}
	mend = mend.say(thenServe)
	if file := userOf(e, p); file != "" {
		where = file
		mend = say("put 'map $http_upgrade $connection_upgrade { default upgrade; \"\" close; }' before the server " +
			"block in ").
			name(file).say(thenServe)
	}
	switch small := strings.HasPrefix(p.Message, "could not build server_names_hash"); {
	case ours(e, p.File) && !hasOthersLines(e, p.File), e.Site != nil && p.File == host.NamesPath, small &&
		bucketsAreOurs(e):
		mend = applyCommand(e)
	case small:
		mend = say("set " + host.NamesBucket + " in http of " + host.NginxConf +
			", or raise it where it is set").say(thenServe)
	}
	return diagnosis(NginxConfigInvalid, "nginx refuses its configuration: "+inWords(p)+" in "+where, mend,
		"nginx -t: "+p.String())
}

// bucketsAreOurs reports whether an apply sets the size that the names need.
func bucketsAreOurs(e *evidence) bool {
	_, err := os.Lstat(e.Root + host.NamesPath)
	return e.Site != nil && e.treeErr == nil && nginx.NamesBucket(e.Site.ServerNames) > 0 &&
		(err == nil || !e.tree.HTTP(host.NamesBucket))
}

// undefined is nginx's word on a variable that nothing defines (ngx_http_variables_init_vars), which names no place.
var undefined = regexp.MustCompile(`^unknown "(\w+)" variable$`)

// userOf is the file that uses the variable of nginx's own page on WebSockets, where nothing defines it; else "".
func userOf(e *evidence, p nginx.Problem) string {
	if p.Message != `unknown "connection_upgrade" variable` {
		return ""
	}
	for _, s := range e.tree.Servers() {
		if uses(s.Body, "$connection_upgrade") {
			return s.File
		}
	}
	return ""
}

func uses(body []nginx.Directive, variable string) bool {
	return slices.ContainsFunc(body, func(d nginx.Directive) bool {
		return slices.Contains(d.Args, variable) || uses(d.Body, variable)
	})
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
	case undefined.MatchString(m):
		return "the variable $" + undefined.FindStringSubmatch(m)[1] +
			" is used, and nothing defines it: a map is missing"
	case strings.HasPrefix(m, "unknown directive "):
		return m + ": misspelt, or of a module that is not loaded"
	}
	return p.Message
}

// notSyntax are the complaints whose cause lies outside the configuration's text.
func notSyntax(ctx context.Context, e *evidence, p nginx.Problem) *Diagnosis {
	m, evidence := p.Message, "nginx: "+p.String()
	switch {
	case strings.HasPrefix(m, "host not found in "):
		name, _, _ := strings.Cut(strings.Trim(after(m, `"`), `"`), `"`)
		d := upstreamName(name)
		d.Evidence = append(d.Evidence, evidence)
		return d
	case bindNumber(m) == 13:
		return deniedBind(ctx, e)
	case bindNumber(m) == 98:
		return bindInUse(m, evidence)
	case NoSpaceLeft.MatchString(m):
		return noSpace(e, evidence)
	case TooManyFiles.MatchString(m):
		return openFiles(e, evidence)
	}
	if d := listenOfAFamilyThatIsOff(e, p, evidence); d != nil {
		return d
	}
	return certificateProblem(m, evidence)
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

func upstreamName(name string) *Diagnosis {
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

// newest is the file of the configuration that was changed last, where that
// was after nginx read it.
func newest(e *evidence) (file string, changed, read time.Time) {
	var start uint64
	for _, w := range e.master.Workers {
		if !w.ShuttingDown {
			start = max(start, w.Start)
		}
	}
	if start == 0 {
		return "", changed, read
	}
	read, err := e.Nginx.Started(start)
	if err != nil {
		return "", changed, read
	}
	var files []string
	for _, f := range e.tree.Files() {
		files = append(files, f.Path)
	}
	for _, name := range append(files, host.ConfDir) {
		if fi, err := os.Stat(e.Root + name); err == nil && fi.ModTime().After(changed) {
			file, changed = name, fi.ModTime()
		}
	}
	// A worker's start is good to a second or so.
	if !changed.After(read.Add(2 * time.Second)) {
		return "", changed, read
	}
	return file, changed, read
}

// nginxIsOlder: nginx runs what it read before the configuration was changed.
func nginxIsOlder(ctx context.Context, e *evidence) *Diagnosis {
	file, changed, read := newest(e)
	if file == "" {
		return nil
	}
	evidence := fmt.Sprintf("%s was changed at %s; nginx's workers read the configuration at %s", file,
		changed.Format(time.DateTime), read.Format(time.DateTime))
	if d := problemFound(ctx, e); d != nil {
		d.Evidence = append(d.Evidence, evidence)
		return d
	}
	return diagnosis(NginxOlder, "nginx runs an older configuration than the disk's", reload(),
		evidence, lastEmergency(errorLog(ctx, e)))
}
