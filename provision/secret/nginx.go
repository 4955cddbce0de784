package secret

import (
	"strings"

	"wsprovision/provision/lazy"
	"wsprovision/provision/nginx/tokens"
)

var (
	// givesValue are directives that give a value to a name: a header, a parameter, a variable.
	givesValue = lazy.Regexp(`^(?:(?:proxy|grpc)_set_header|(?:fastcgi|uwsgi|scgi)_param|` +
		`add_(?:header|trailer)|more_[a-z_]+|set|auth_request_set|js_var|proxy_cookie_[a-z]+)$`)
	// hasCode are directives with a program in their arguments.
	hasCode = lazy.Regexp(`(?:_by_lua|^perl|^js_[a-z]+$)`)
	// plainDirective are those whose names only look sensitive.
	plainDirective = lazy.Regexp(`^(?:server_tokens|ssl_session_(?:cache|timeout|tickets)|` +
		`auth_basic_user_file|[a-z_]*(?:_file|_path|_zone)|underscores_in_headers)$`)
	// plainName are headers, and parameters of FastCGI, whose values are no secret.
	plainName = lazy.Regexp(`(?i)^(?:host|upgrade|connection|x-real-ip|` +
		`x-forwarded-(?:for|proto|host|port|server)|accept-encoding|range|if-range|` +
		`content-(?:type|length|security-policy)|cache-control|expires|vary|origin|` +
		`strict-transport-security|x-(?:frame-options|content-type-options|xss-protection)|referrer-policy|` +
		`access-control-[a-z-]+|sec-websocket-(?:version|key|accept|extensions)|script_[a-z]+|request_[a-z]+|` +
		`content_[a-z]+|document_[a-z]+|server_[a-z]+|gateway_interface|remote_(?:addr|port|user)|redirect_status)$`)
	// plainWord is a value that tells nothing: variables alone, a number, a word of HTTP.
	plainWord = lazy.Regexp(`(?i)^(?:(?:\$\{?[a-z0-9_]+\}?|[ ,:;=/.?&-])*|[0-9]+[a-z]?|upgrade|close|` +
		`keep-alive|on|off|always|http|https|default|volatile|hostnames|` + Hidden + `)$`)
	// fromClient are variables that a client fills with what may be a credential.
	fromClient = lazy.Regexp(`^\$\{?(?:arg_|cookie_|http_)`)
	plainField = lazy.Regexp(`^\$\{?(?:http_(?:upgrade|host|origin|user_agent|referer|connection|` +
		`accept[a-z_]*|x_forwarded_[a-z]+|x_real_ip|sec_websocket_(?:key|version|extensions)))\}?$`)
)

// block is what a statement stands in, as far as it matters: a map whose keys or values are secrets.
type block struct{ keys, values bool }

// openedBy is the block that a statement opens.
func openedBy(words []string) block {
	if words[0] != "map" && words[0] != "geo" && words[0] != "split_clients" || len(words) < 2 {
		return block{}
	}
	last := words[len(words)-1]
	b := block{values: sensitiveName().MatchString(last)}
	for _, w := range words[1 : len(words)-1] {
		b.keys = b.keys || secretVariable(w)
	}
	return b
}

func secretVariable(w string) bool {
	return sensitiveName().MatchString(w) || fromClient().MatchString(w) && !plainField().MatchString(w)
}

// hideWords gives the words of a statement without what may be a secret.
func hideWords(words []string, in block) []string {
	all := append([]string(nil), words...)
	name := strings.ToLower(all[0])
	switch {
	case in.keys || in.values:
		hideEntry(all, in)
	case givesValue().MatchString(name):
		hideGiven(all)
	case hasCode().MatchString(name), strings.HasPrefix(name, "secure_link_"),
		sensitiveName().MatchString(name) && !plainDirective().MatchString(name):
		hideLiterals(all[1:])
	case name == "if":
		hideCondition(all)
	case name == "env" && len(all) > 1:
		if variable, _, has := strings.Cut(all[1], "="); has {
			all[1] = variable + "=" + Hidden
		}
	}
	for i := range all[1:] {
		if w := &all[i+1]; strings.Contains(*w, "://") || strings.ContainsAny(*w, "?&") {
			*w = Hide(asked().ReplaceAllString(*w, "${1}"+Hidden))
		}
	}
	return all
}

func hideLiterals(words []string) {
	for i, w := range words {
		if !plainWord().MatchString(w) {
			words[i] = Hidden
		}
	}
}

func hideEntry(words []string, in block) {
	if in.keys {
		hideLiterals(words[:1])
	}
	if in.values {
		hideLiterals(words[1:])
	}
}

// hideGiven hides values that are not known to be plain: a header of one's own may be a password among services.
func hideGiven(words []string) {
	if len(words) < 2 {
		return
	}
	if strings.Contains(words[1], ":") { // more_set_headers "Name: value"
		for i, w := range words[1:] {
			if name, _, one := strings.Cut(w, ":"); one && !plainName().MatchString(name) {
				words[i+1] = name + ": " + Hidden
			}
		}
		return
	}
	if !plainName().MatchString(words[1]) {
		hideLiterals(words[2:])
	}
}

// hideCondition hides what a variable that may hold a credential is compared with.
func hideCondition(words []string) {
	secret := false
	for _, w := range words[1:] {
		secret = secret || secretVariable(strings.TrimLeft(w, "("))
	}
	for i, w := range words[1:] {
		if secret && !strings.HasPrefix(strings.TrimLeft(w, "("), "$") && strings.Trim(w, "=!~*") != "" {
			words[i+1] = Hidden
		}
	}
}

// Nginx is a configuration of nginx, one file or what nginx -T prints, for what leaves the host: each statement on a
// line, without comments, and without what may be a secret. What nginx would not read as statements is scrubbed by its
// lines.
func Nginx(text string) string {
	var b strings.Builder
	const head = "# configuration file "
	for i, part := range strings.Split("\n"+text, "\n"+head) {
		if i > 0 {
			var name string
			name, part, _ = strings.Cut(part, "\n")
			b.WriteString(head + name + "\n")
		}
		b.WriteString(statements(part))
	}
	return b.String()
}

func statements(text string) string {
	var b strings.Builder
	in := []block{{}}
	for lexer := tokens.New("", []byte(text)); ; {
		s, err := lexer.Next()
		if err != nil {
			return "# not to be read as statements: " + err.Error() + "\n" +
				Scrub(quoted().ReplaceAllString(text, Hidden))
		}
		indent := strings.Repeat("    ", max(0, len(in)-1))
		switch s.End {
		case tokens.EndOfFile:
			return b.String()
		case tokens.Closed:
			in = in[:max(1, len(in)-1)]
			b.WriteString(strings.Repeat("    ", len(in)-1) + "}\n")
			continue
		case tokens.Opened:
			b.WriteString(indent + line(hideWords(s.Words, in[len(in)-1])) + " {\n")
			in = append(in, openedBy(s.Words))
		default:
			b.WriteString(indent + line(hideWords(s.Words, in[len(in)-1])) + ";\n")
		}
	}
}

// quoted is text in quotes, and within them any secret.
var quoted = lazy.Regexp(`"(?:[^"\\]|\\.)*"?|'(?:[^'\\]|\\.)*'?`)

// line is the words as nginx reads them.
func line(words []string) string {
	all := make([]string, len(words))
	for i, w := range words {
		if all[i] = w; w == "" || strings.ContainsAny(w, " \t\r\n;{}\"'#") && !strings.HasPrefix(w, "${") {
			all[i] = `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(w) + `"`
		}
	}
	return strings.Join(all, " ")
}
