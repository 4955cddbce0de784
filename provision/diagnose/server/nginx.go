package server

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"wsprovision/provision/diagnose/cause"
	"wsprovision/provision/diagnose/facts"
	"wsprovision/provision/host"
	"wsprovision/provision/lazy"
	"wsprovision/provision/nginx"
	"wsprovision/provision/nginx/conf"
)

// problemFound: nginx -t does not pass, so that nginx neither starts nor reloads.
func problemFound(ctx context.Context, e *facts.Evidence) *cause.Diagnosis {
	if e.Euid != 0 {
		if e.TreeErr == nil {
			return nil
		}
		return configProblem(ctx, e, facts.ProblemOf(e.TreeErr.Error()))
	}
	p := facts.Tested(ctx, e)
	if p == nil {
		return nil
	}
	return configProblem(ctx, e, *p)
}

// configProblem explains what nginx -t, or an [emerg] line, complains of.
func configProblem(ctx context.Context, e *facts.Evidence, p nginx.Problem) *cause.Diagnosis {
	if d := notSyntax(ctx, e, p); d != nil {
		return d
	}
	where, mend := host.NginxConf, cause.Say("mend ").Name(host.NginxConf)
	if p.File != "" {
		where, mend = fmt.Sprintf("%s:%d", p.File, p.Line), cause.Say("mend ").Line(p.File, p.Line)
	}
	mend = mend.Say(facts.ThenServe)
	if file := userOf(e, p); file != "" {
		where = file
		mend = cause.Say("put 'map $http_upgrade $connection_upgrade { default upgrade; \"\" close; }' before the " +
			"server block in ").
			Name(file).Say(facts.ThenServe)
	}
	switch small := strings.HasPrefix(p.Message, "could not build server_names_hash"); {
	case facts.Ours(e, p.File) && !facts.HasOthersLines(e, p.File), e.Site != nil && p.File == e.NamesPath(), small &&
		bucketsAreOurs(e):
		mend = facts.ApplyCommand(e)
	case small:
		mend = cause.Say("set " + host.NamesBucket + " in http of " + host.NginxConf +
			", or raise it where it is set").Say(facts.ThenServe)
	}
	return cause.New(cause.NginxConfigInvalid, "nginx refuses its configuration: "+inWords(p)+" in "+where, mend,
		"nginx -t: "+p.String())
}

// bucketsAreOurs reports whether an apply sets the size that the names need.
func bucketsAreOurs(e *facts.Evidence) bool {
	_, err := os.Lstat(e.Root + e.NamesPath())
	return e.Site != nil && e.TreeErr == nil && conf.NamesBucket(e.Site.ServerNames) > 0 &&
		(err == nil || !e.Tree.HTTP(host.NamesBucket))
}

// undefined is nginx's word on a variable that nothing defines (ngx_http_variables_init_vars), which names no place.
var undefined = lazy.Regexp(`^unknown "(\w+)" variable$`)

// userOf is the file that uses the variable of nginx's own page on WebSockets, where nothing defines it; else "".
func userOf(e *facts.Evidence, p nginx.Problem) string {
	if p.Message != `unknown "connection_upgrade" variable` {
		return ""
	}
	for _, s := range e.Tree.Servers() {
		if uses(s.Body, "$connection_upgrade") {
			return s.File
		}
	}
	return ""
}

func uses(body []conf.Directive, variable string) bool {
	return slices.ContainsFunc(body, func(d conf.Directive) bool {
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
	case undefined().MatchString(m):
		return "the variable $" + undefined().FindStringSubmatch(m)[1] +
			" is used, and nothing defines it: a map is missing"
	case strings.HasPrefix(m, "unknown directive \"\ufeff"):
		return "a byte order mark stands at the beginning of the file, as some editors write one, and nginx takes it " +
			"for a part of the first word"
	case strings.ContainsRune(m, '\u00a0'):
		return "a no-break space stands where a space is meant, which nginx takes for a part of the word"
	case strings.HasPrefix(m, "invalid URL prefix"):
		return m + ": what proxy_pass has begins with http:// or https://, also for WebSockets"
	case strings.HasPrefix(m, "unknown directive "):
		return m + ": misspelt, or of a module that is not loaded"
	}
	return p.Message
}

// notSyntax are the complaints whose cause lies outside the configuration's text.
func notSyntax(ctx context.Context, e *facts.Evidence, p nginx.Problem) *cause.Diagnosis {
	m, evidence := p.Message, "nginx: "+p.String()
	switch {
	case strings.HasPrefix(m, "host not found in "):
		name, _, _ := strings.Cut(strings.Trim(after(m, `"`), `"`), `"`)
		d := upstreamNamed(e, name)
		d.Evidence = append(d.Evidence, evidence)
		return d
	case bindNumber(m) == 13:
		return deniedBind(ctx, e)
	case bindNumber(m) == 98:
		return bindInUse(m, evidence)
	case facts.NoSpaceLeft().MatchString(m):
		return noSpace(e, evidence)
	case facts.TooManyFiles().MatchString(m):
		return openFiles(e, evidence)
	}
	if d := listenOfAFamilyThatIsOff(e, p, evidence); d != nil {
		return d
	}
	return certificateProblem(m, evidence)
}

// bindNumber is the errno with which nginx may not bind, 0 for any other message.
func bindNumber(m string) int {
	_, number, _ := facts.BindOf(m)
	return number
}

func bindInUse(m, evidence string) *cause.Diagnosis {
	address, _, _ := facts.BindOf(m)
	return cause.New(cause.NginxBindInUse,
		fmt.Sprintf("another program listens on %s, or did when nginx was started", address),
		cause.Do("ss", "-ltnp", fmt.Sprintf("sport = :%d", address.Port())).
			Note("names it: stop it, then systemctl reload-or-restart nginx"), evidence)
}

func after(text, sep string) string {
	_, rest, _ := strings.Cut(text, sep)
	return rest
}

// NginxIsOlder: nginx runs what it read before the configuration was changed.
func NginxIsOlder(ctx context.Context, e *facts.Evidence) *cause.Diagnosis {
	file, changed, read := facts.Newest(e)
	if file == "" {
		return nil
	}
	evidence := fmt.Sprintf("%s was changed at %s; nginx's workers read the configuration at %s", file,
		changed.Format(time.DateTime), read.Format(time.DateTime))
	if d := problemFound(ctx, e); d != nil {
		d.Evidence = append(d.Evidence, evidence)
		return d
	}
	return cause.New(cause.NginxOlder, "nginx runs an older configuration than the disk's", facts.Reload(),
		evidence, facts.LastEmergency(facts.ErrorLog(ctx, e)))
}

// emergency explains an [emerg] line: what kept nginx from starting, although nginx -t takes its configuration now.
// What such a line says of the configuration's text is therefore out of date, or not nginx's.
func emergency(ctx context.Context, e *facts.Evidence, line string) *cause.Diagnosis {
	d := notSyntax(ctx, e, facts.ProblemOf(facts.EmergencyOf(line)))
	if d != nil {
		d.Evidence = append([]string{line}, d.Evidence...)
	}
	return d
}
