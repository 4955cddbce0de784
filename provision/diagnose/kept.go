package diagnose

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// statusIsKept: an error_page passes the request on, and its client gets the status that led there, whatever the
// backend answers; with a = it gets the backend's (ngx_http_send_error_page).
func statusIsKept(_ context.Context, e *evidence) *Diagnosis {
	p := passed(e)
	if p == nil || p.Page == nil || p.Override == 0 || seen(e).Status != p.Override || len(p.Page.Args) < 2 {
		return nil
	}
	d, last := *p.Page, len(p.Page.Args)-1
	codes := slices.Clone(d.Args[:last])
	codes = slices.DeleteFunc(codes, func(code string) bool { return strings.HasPrefix(code, "=") })
	mended := fmt.Sprintf("error_page %s = %s;", strings.Join(codes, " "), d.Args[last])
	return diagnosis(AnsweredByNginx,
		fmt.Sprintf("error_page in %s:%d passes the request on and keeps the status: the client gets %d, whatever the "+
			"backend answers", d.File, d.Line, p.Override),
		inFile(e, d.File, d.Line, say("write ").name(mended).say(" in ").line(d.File, d.Line)),
		append([]string{e.Err.Error()}, wayOf(e)...)...)
}
