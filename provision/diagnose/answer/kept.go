package answer

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"wsprovision/provision/diagnose/cause"
	"wsprovision/provision/diagnose/facts"
)

// StatusIsKept: an error_page passes the request on, and its client gets the status that led there, whatever the
// backend answers; with a = it gets the backend's (ngx_http_send_error_page).
func StatusIsKept(_ context.Context, e *facts.Evidence) *cause.Diagnosis {
	p := facts.Passed(e)
	if p == nil || p.Page == nil || p.Override == 0 || facts.Seen(e).Status != p.Override || len(p.Page.Args) < 2 {
		return nil
	}
	d, last := *p.Page, len(p.Page.Args)-1
	codes := slices.Clone(d.Args[:last])
	codes = slices.DeleteFunc(codes, func(code string) bool { return strings.HasPrefix(code, "=") })
	mended := fmt.Sprintf("error_page %s = %s;", strings.Join(codes, " "), d.Args[last])
	return cause.New(cause.AnsweredByNginx,
		fmt.Sprintf("error_page in %s:%d passes the request on and keeps the status: the client gets %d, whatever the "+
			"backend answers", d.File, d.Line, p.Override),
		facts.InFile(e, d.File, d.Line, cause.Say("write ").Name(mended).Say(" in ").Line(d.File, d.Line)),
		append([]string{e.Err.Error()}, facts.WayOf(e)...)...)
}
