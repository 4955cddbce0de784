package answer

import (
	"context"
	"fmt"
	"path"

	"wsprovision/provision/diagnose/cause"
	"wsprovision/provision/diagnose/facts"
	"wsprovision/provision/lazy"
)

// openFailed is what nginx says of a file of passwords that it cannot read (ngx_http_auth_basic_handler): it answers
// 403 where there is none, and 500 else.
var openFailed = lazy.Regexp(`^open\(\) "([^"]*)" failed \((\d{1,3}): `)

// PasswordsAreUnreadable: nginx cannot read the file of passwords, and refuses everybody.
func PasswordsAreUnreadable(_ context.Context, e *facts.Evidence) *cause.Diagnosis {
	d := e.Way.End.InForce("auth_basic_user_file")
	if d == nil || facts.StatusOf(e) == nil {
		return nil
	}
	for _, l := range facts.OfRequest(e) {
		m := openFailed().FindStringSubmatch(l.Message)
		if m == nil || len(d.Args) != 1 || m[1] != inPrefix(d.Args[0]) {
			continue
		}
		mend := cause.Say("let nginx's user read ").Name(m[1])
		if m[2] == "2" {
			mend = cause.Say("put the file of passwords (htpasswd) at ").Name(m[1])
		}
		return cause.New(cause.AnsweredByNginx,
			fmt.Sprintf("nginx cannot read the file of passwords %s (%s), and refuses everybody (%d)", m[1], m[2],
				facts.StatusOf(e).Code),
			facts.InFile(e, d.File, d.Line, mend.Say(", or mend auth_basic_user_file in ").Line(d.File, d.Line)),
			l.Text)
	}
	return nil
}

// inPrefix is where nginx looks for a file of its configuration (ngx_conf_full_name).
func inPrefix(name string) string {
	if path.IsAbs(name) {
		return name
	}
	return path.Join("/etc/nginx", name)
}
