package proxy

import (
	"fmt"
	"strconv"
	"strings"

	"wsprovision/provision/config"
	"wsprovision/provision/engine"
	"wsprovision/provision/host"
	"wsprovision/provision/lazy"
	"wsprovision/provision/managed"
	"wsprovision/provision/nginx/conf"
	"wsprovision/provision/state"
)

// connections is the key that asks for the line, and the name of its entry in the ledger.
const connections = "connections"

// connectionsLine is the line as EPEL's nginx.conf has it, with a comment of whoever else's behind it.
var connectionsLine = lazy.Regexp(`^([ \t]*)worker_connections[ \t]+([0-9]+)[ \t]*;[ \t]*(#.*)?\r?$`)

// workerConnections raises the limit of nginx's workers, where it is lower than what is asked for.
func (p *Sites) workerConnections(content []byte) ([]managed.Line, error) {
	need := p.Config.Connections.WorkerConnections()
	tree, err := p.Survey.Tree(nil)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", connections, err)
	}
	d, n := limitOf(tree)
	if n >= need {
		return nil, nil // a higher limit is an administrator's
	}
	lines := strings.Split(string(content), "\n")
	if d.File != host.NginxConf || d.Line < 1 || d.Line > len(lines) {
		return nil, notUnderstood(d, need)
	}
	from := lines[d.Line-1]
	m := connectionsLine().FindStringSubmatch(from)
	if m == nil || m[2] != d.Args[0] || managed.Occurrences(content, from) != 1 {
		return nil, notUnderstood(d, need)
	}
	if leave, err := p.lineEdited(from, need); leave || err != nil {
		return nil, err
	}
	to := fmt.Sprintf("%sworker_connections %d; # wsprovision: %s", m[1], need, connections)
	return []managed.Line{{Key: connections, From: from, To: to}}, nil
}

// limitOf is the directive, and its value; nginx takes it once, and has 512 without it (ngx_event_core_module).
func limitOf(tree conf.Tree) (d conf.Directive, n int) {
	for _, outer := range tree.Directives() {
		for _, inner := range outer.Body {
			if outer.Name == "events" && inner.Name == "worker_connections" && len(inner.Args) == 1 {
				n, _ = strconv.Atoi(inner.Args[0])
				return inner, n
			}
		}
	}
	return d, 512
}

func notUnderstood(d conf.Directive, need int) error {
	where := "there is none in the events block of " + host.NginxConf
	if d.File != "" {
		where = fmt.Sprintf("line %d of %s is not as EPEL's package has it, worker_connections 1024; on a line of "+
			"its own in %s", d.Line, d.File, host.NginxConf)
	}
	return fmt.Errorf("%s: %s: set worker_connections %d there yourself, which is then left as it is", connections,
		where,
		need)
}

// lineEdited: somebody has changed the line since the agent wrote it, to less than is needed. on_drift says what
// becomes of that.
func (p *Sites) lineEdited(from string, need int) (leave bool, err error) {
	e, recorded := p.Ledger.Find(state.KindLine, connections)
	if !recorded || from == e.Before || e.IsAgents(from) {
		return false, nil
	}
	switch p.Config.OnDrift {
	case config.DriftReplace:
		return false, nil
	case config.DriftKeep:
		return true, nil
	}
	return false, engine.NewDecision(fmt.Errorf("%s: %q in %s was edited since the agent wrote it, %d are needed, and "+
		"on_drift is fail: raise it, or have it replaced (on_drift: replace) or left (on_drift: keep)", connections,
		strings.TrimSpace(from), host.NginxConf, need))
}
