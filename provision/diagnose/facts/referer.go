package facts

import (
	"slices"
	"strings"

	"wsprovision/provision/nginx/conf"
)

// JudgesReferer: nginx's configuration may refuse a request for its Referer, so that none is sent, as a browser sends
// none with a WebSocket. That a log format has it says nothing.
func JudgesReferer(tree conf.Tree) bool { return judgesReferer(tree.Directives()) }

func judgesReferer(all []conf.Directive) bool {
	return slices.ContainsFunc(all, func(d conf.Directive) bool {
		return d.Name == "valid_referers" || judgesReferer(d.Body) ||
			slices.Contains([]string{"if", "map", "set", "rewrite", "return"}, d.Name) &&
				strings.Contains(strings.ToLower(strings.Join(d.Args, " ")), "$http_referer")
	})
}
