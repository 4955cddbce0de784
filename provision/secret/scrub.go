package secret

import (
	"strings"

	"wsprovision/provision/lazy"
)

// sensitive is the name of what should not leave the host: of a header, a variable, a directive, a key.
const sensitive = `(?:passw|passphrase|secret|token|api[-_]?key|access[-_]?key|private[-_]?key|auth[-_]?key|` +
	`credential|authoriz|authentic|x[-_]auth|cookie|session|signature|jwt|bearer)`

var (
	sensitiveName = lazy.Regexp(`(?i)` + sensitive)
	// privateKey is a PEM block (RFC 7468), also one whose end is missing.
	privateKey = lazy.Regexp(`(?s)-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----.*?` +
		`(?:-----END [A-Z0-9 ]*PRIVATE KEY-----|\z)`)
	// assigned is a value behind a sensitive name and = or :, in quotes or up to a blank.
	assigned = lazy.Regexp(`(?i)([A-Za-z0-9_.-]*` + sensitive + `[A-Za-z0-9_.-]*)` +
		`(["']?[ \t]*(?:=|:[ \t]?)[ \t]*)` +
		`("(?:[^"\\\n]|\\.)*"?|'(?:[^'\\\n]|\\.)*'?|[^\s;,"'&{}]+)`)
	// scheme is a credential of HTTP (RFC 9110 section 11.4).
	scheme = lazy.Regexp(`(?i)\b(bearer|basic|digest|negotiate|ntlm|apikey)([ \t]+)["']?[A-Za-z0-9+/=._~:-]{4,}`)
	// digest is a password as crypt(3) and htpasswd(1) have it.
	digest = lazy.Regexp(`\$(?:apr1|1|2[abxy]?|5|6|y|argon2[a-z]*)\$[^\s"';:]+|` +
		`\{(?i:s?sha|ssha[0-9]*|plain)\}[^\s"';]+`)
	// asked is a value in a query that stands in no URL.
	asked = lazy.Regexp(`([?&][A-Za-z0-9_.%-]+=)[^&\s"'$;]+`)
	// login is a user and a password before a host, without a scheme: nginx quotes them so.
	login = lazy.Regexp(`[A-Za-z0-9_.%+-]*:(?:[^\s"'@/]|/[^\s"'@/])[^\s"'@]*@([A-Za-z0-9\[])`)
	// plainValue is no secret, whatever its name.
	plainValue = lazy.Regexp(`(?i)^(?:["']{2}|on|off|true|false|none|null|yes|no|default|` + Hidden +
		`|["']?\$\{?[a-z0-9_]+\}?["']?)$`)
	fileName = lazy.Regexp(`(?i)(?:file|path|dir|zone|cache|timeout)$`)
)

// Scrub is Hide for what leaves the host: a report that is sent, an archive for somebody else. It rather hides too
// much: values of headers and variables of nginx, of what is called a password, a token or a cookie, private keys,
// digests of passwords. Text of nginx is known by its lines, also in a diff, and also within YAML.
func Scrub(text string) string {
	text = privateKey().ReplaceAllString(text, "(a private key)")
	text = nginxLines(text)
	text = scheme().ReplaceAllString(text, "${1}${2}"+Hidden)
	text = assigned().ReplaceAllStringFunc(text, func(found string) string {
		m := assigned().FindStringSubmatch(found)
		isFile := fileName().MatchString(m[1]) && strings.HasPrefix(strings.Trim(m[3], `"'`), "/")
		if isFile || plainValue().MatchString(m[3]) {
			return found
		}
		return m[1] + m[2] + Hidden
	})
	text = login().ReplaceAllString(digest().ReplaceAllString(text, Hidden), Hidden+"@$1")
	return Hide(asked().ReplaceAllString(text, "${1}"+Hidden))
}
