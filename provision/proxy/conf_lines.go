package proxy

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"

	multierror "github.com/hashicorp/go-multierror"

	"wsprovision/provision/config"
	"wsprovision/provision/engine"
	"wsprovision/provision/host"
	"wsprovision/provision/lazy"
	"wsprovision/provision/managed"
	"wsprovision/provision/nginx/conf"
	"wsprovision/provision/state"
)

// stockIPv6 is the key that asks for the line, and the name of its entry in the ledger.
const stockIPv6 = "nginx.stock_ipv6"

// ConfLines adds nginx.conf with those lines otherwise that the configuration asks for, and with those back that it
// does not ask for any more. Nothing is added where no line is to change: the file is not the agent's.
func (p *Sites) ConfLines(all []managed.Want) ([]managed.Want, error) {
	asked := p.askedLines()
	recorded := managed.RecordedLines(p.Managed.Ledger)
	if len(asked) == 0 && len(recorded) == 0 {
		return all, nil
	}
	have, err := p.Files.Read(host.NginxConf)
	if err != nil || have.Content == nil { // it comes with nginx
		return all, err
	}
	var lines []managed.Line
	var refused *multierror.Error
	for _, key := range slices.Sorted(maps.Keys(asked)) {
		more, err := asked[key](have.Content)
		if err != nil {
			refused = multierror.Append(refused, err)
		}
		lines = append(lines, more...)
	}
	if err := engine.Lines(refused); err != nil {
		return nil, err
	}
	for _, e := range recorded {
		if asked[e.Name] != nil || p.keepsNginxDown(e) {
			continue
		}
		now, err := p.Managed.PresentLine(e) // a revert that died has announced the line that it was to bring back
		if err != nil {
			return nil, err
		}
		if now != e.Before && managed.Occurrences(have.Content, now) == 1 {
			lines = append(lines, managed.Line{Key: e.Name, From: now, To: e.Before})
		}
	}
	if len(lines) == 0 {
		return all, nil
	}
	return append(all, managed.Want{Path: host.NginxConf, Content: managed.Edited(have.Content, lines), Mode: have.Mode,
		Owner: have.Owner, Custom: p.Files.CustomLabel(host.NginxConf, have), Lines: lines}), nil
}

// askedLines are the lines that the configuration asks for, by key. Reverting, it asks for none.
func (p *Sites) askedLines() map[string]func(content []byte) ([]managed.Line, error) {
	asked := map[string]func([]byte) ([]managed.Line, error){}
	if p.Config.Nginx.StockIPv6 == config.StockRemove {
		asked[stockIPv6] = p.stockListen
	}
	if p.Config.Connections > 0 {
		asked[connections] = p.workerConnections
	}
	return asked
}

// keepsNginxDown: with that line back, the nginx of this host would not start any more.
func (p *Sites) keepsNginxDown(e state.Entry) bool {
	return p.Reverting && e.Name == stockIPv6 && !p.Where.Offline() && noIPv6Sockets(p.Host)
}

// stockLine is the line as EPEL's nginx.conf has it: 1.20.1's alone, that of older ones with default_server.
var stockLine = lazy.Regexp(`^([ \t]*)(listen[ \t]+\[::\]:80([ \t]+default_server)?[ \t]*;)[ \t\r]*$`)

// stockListen makes the line a comment, so that a revert finds its place again. Anything else than EPEL's is refused.
func (p *Sites) stockListen(content []byte) ([]managed.Line, error) {
	tree, err := p.Survey.Tree(nil)
	if err != nil {
		return nil, fmt.Errorf("%s: remove: %w", stockIPv6, err)
	}
	var found []int
	for _, d := range tree.Listening("[::]:80") {
		if d.File == host.NginxConf {
			found = append(found, d.Line)
		}
	}
	if len(found) == 0 {
		return nil, nil
	}
	lines := strings.Split(string(content), "\n")
	m := stockLine().FindStringSubmatch(lines[found[0]-1])
	if len(found) > 1 || m == nil || managed.Occurrences(content, m[0]) != 1 || onlyListen(tree, found[0]) {
		return nil, fmt.Errorf("%s: remove: line %d of %s is not as EPEL's package has it, one listen [::]:80 beside "+
			"another listen: take it out by hand, and leave the key out", stockIPv6, found[0], host.NginxConf)
	}
	to := m[1] + takenOut(m[2])
	return []managed.Line{{Key: stockIPv6, From: m[0], To: to}}, nil
}

// stockListenLine is the line in the nginx.conf of EPEL's 1.20.1.
const stockListenLine = "listen       [::]:80;"

// sayStockLine shows beforehand what becomes of the nginx.conf that comes with nginx.
func (p *Sites) sayStockLine(f *engine.Finding) error {
	if p.Reverting || p.Config.Nginx.StockIPv6 != config.StockRemove {
		return nil
	}
	have, err := p.Files.Read(host.NginxConf)
	if err != nil || have.Content != nil {
		return err
	}
	f.Changes = append(f.Changes, engine.Change{Object: "file " + host.NginxConf, From: stockListenLine,
		To: takenOut(stockListenLine)})
	return nil
}

func takenOut(line string) string {
	return "# " + line + " # taken out by wsprovision (" + stockIPv6 + ")"
}

// onlyListen: a server without any listen would be on port 80 of every IPv4 address.
func onlyListen(tree conf.Tree, line int) bool {
	return slices.ContainsFunc(tree.Servers(), func(s conf.Server) bool {
		listens := 0
		has := false
		for _, d := range s.Body {
			if d.Name == "listen" {
				listens++
				has = has || d.File == host.NginxConf && d.Line == line
			}
		}
		return has && listens == 1
	})
}

// noIPv6Sockets: the kernel was booted with ipv6.disable=1, and has no such sockets. With the sysctl disable_ipv6 alone
// it has them, and nginx starts.
func noIPv6Sockets(h *host.Host) bool {
	_, err := os.Stat(h.Root + "/proc/net/if_inet6")
	_, without := os.Stat(h.Root + "/proc/net") // no /proc says nothing
	return errors.Is(err, fs.ErrNotExist) && without == nil
}

// sayLines says what becomes of lines that a revert does not bring back.
func (p *Sites) sayLines(f *engine.Finding) error {
	if !p.Reverting {
		return nil
	}
	for _, e := range managed.RecordedLines(p.Managed.Ledger) {
		now, err := p.Managed.PresentLine(e)
		line := strings.TrimSpace(e.Before)
		switch {
		case err != nil:
			return err
		case now == state.Absent:
			f.Warnings = append(f.Warnings, fmt.Sprintf("%s: the line that took the place of %q was edited since: "+
				"it is left as it is", host.NginxConf, line))
		case now != e.Before && p.keepsNginxDown(e):
			f.Warnings = append(f.Warnings, fmt.Sprintf("%s: %q stays out, because with it nginx does not start on "+
				"this host, which has no IPv6", host.NginxConf, line))
		}
	}
	return nil
}

// checkStock refuses what is known of the nginx.conf that is still to come: nginx does not start with EPEL's where the
// kernel has no IPv6 sockets. An installer's kernel says nothing of the host's.
func (v *Candidate) checkStock() error {
	if v.Where.Offline() || v.Reverting || v.Config.Nginx.StockIPv6 == config.StockRemove || !noIPv6Sockets(v.Host) {
		return nil
	}
	return errors.New("this kernel has no IPv6 (ipv6.disable=1), and the nginx.conf of EPEL's nginx has listen " +
		"[::]:80, with which nginx does not start: " + stockIPv6 + ": remove (--stock-ipv6 remove) takes that " +
		"line out; or boot without ipv6.disable=1 (net.ipv6.conf.all.disable_ipv6=1 takes the addresses and leaves " +
		"the sockets)")
}
