package answer

import (
	"context"
	"crypto/rand"
	"strings"

	"wsprovision/provision/diagnose/cause"
	"wsprovision/provision/diagnose/facts"
)

// CacheAnswers: nginx gives an answer that it has kept. Proved by another query, for which it has none: the key is the
// URL with its query, unless proxy_cache_key says otherwise.
func CacheAnswers(ctx context.Context, e *facts.Evidence) *cause.Diagnosis {
	d := e.Way.End.InForce("proxy_cache")
	if facts.Passed(e) == nil || d == nil || len(d.Args) != 1 || d.Args[0] == "off" {
		return nil
	}
	fresh, mark := e.Target, "?"
	fresh.Path = facts.PathSent(e)
	if strings.Contains(fresh.Path, "?") {
		mark = "&"
	}
	fresh.Path += mark + "wsprovision=" + rand.Text()
	if facts.Shake(ctx, e, fresh) != nil {
		return nil
	}
	return cause.New(cause.AnsweredByNginx, "nginx answers from its cache (proxy_cache), and does not ask the backend",
		facts.InFile(e, d.File, d.Line, cause.Say("take proxy_cache out of ").Line(d.File, d.Line).
			Say(", or put proxy_cache off; into the location of the WebSocket")),
		append([]string{e.Err.Error(), "with another query, of which nothing is kept: 101"}, facts.WayOf(e)...)...)
}
