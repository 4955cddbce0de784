package route

import (
	"errors"
	"strings"

	"wsprovision/provision/nginx/conf"
	"wsprovision/provision/nginx/head"
	"wsprovision/provision/nginx/variable"
)

func defaultOf(sharing []conf.Sharer) conf.Sharer {
	for _, s := range sharing {
		if s.Listen.Default {
			return s
		}
	}
	return sharing[0]
}

// speaksTLS: ssl at one listen holds for the address; the old ssl on holds where the default server has it
// (ngx_http_init_connection).
func speaksTLS(sharing []conf.Sharer, standard conf.Levels) bool {
	for _, s := range sharing {
		if explicit(s) {
			return true
		}
	}
	return standard.On("ssl", false)
}

// explicit looks for ssl in the listen itself, also where ssl on stands beside it.
func explicit(s conf.Sharer) bool {
	if len(conf.Named(s.Server.Body, "ssl")) == 0 {
		return s.Listen.TLS
	}
	for _, d := range conf.Named(s.Server.Body, "listen") {
		if d.File != s.Listen.File || d.Line != s.Listen.Line {
			continue
		}
		for _, a := range d.Args[1:] {
			if a == "ssl" {
				return true
			}
		}
	}
	return false
}

// plain refuses connections on which nginx does not speak HTTP/1.1 with this client.
func plain(sharing []conf.Sharer, request head.Request, encrypted bool) error {
	for _, s := range sharing {
		switch {
		case s.Listen.ProxyProtocol && !request.Proxied:
			return errors.New("the listener expects the PROXY protocol")
		case s.Listen.HTTP2 && !encrypted:
			return errors.New("the listener has http2 and no ssl: nginx before 1.25.1 takes HTTP/2 only there")
		case s.Listen.UDP:
			return errors.New("the listener is one for UDP")
		}
	}
	if request.TLS && !encrypted {
		return errors.New("the listener does not speak TLS")
	}
	return nil
}

// wellFormed refuses requests of which nginx might say more than this package follows.
func wellFormed(r head.Request, standard conf.Levels) error {
	size := len(r.Target)
	for _, f := range r.Fields {
		if !isToken(f.Name) || strings.ContainsAny(f.Value, "\r\n\x00") {
			return errors.New("a malformed field is not followed")
		}
		size = max(size, len(f.Name)+len(f.Value))
	}
	switch {
	case size > 4000 || len(r.Fields) > 80 || size > 500 && standard.Value("large_client_header_buffers") != nil:
		return errors.New("a request with lines this long is not followed (large_client_header_buffers)")
	case r.Has("Content-Length", "Transfer-Encoding", "Expect"):
		return errors.New("a request with a body is not followed")
	case len(r.Values("Host")) != 1:
		return errors.New("a request with another number of Hosts than one is not followed")
	case strings.Trim(r.Verb(), "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "":
		return errors.New("the method is not followed")
	case strings.Contains(joined(r.Values("User-Agent")), "MSIE"):
		return errors.New("a request of Internet Explorer is not followed (msie_refresh)")
	case head.Host(r.Host) == "":
		return errors.New("such a Host is not followed")
	}
	return nil
}

func isToken(name string) bool {
	for i := range len(name) {
		if name[i] != '-' && !variable.IsWord(name[i]) {
			return false
		}
	}
	return name != ""
}

// choose is nginx's order: the exact name, the longest *.name, the longest name.*, the first regular expression, the
// default server (ngx_http_find_virtual_server). Of two servers with a name the first one has it.
func chooseServer(w *walk, sharing []conf.Sharer, standard conf.Sharer) (conf.Sharer, bool, error) {
	table, expressions := head.NewNames[conf.Sharer](), []conf.Sharer(nil)
	dynamic := false
	for _, s := range sharing {
		for _, name := range s.Server.Names {
			switch {
			case strings.EqualFold(name, "$hostname"):
				dynamic = true
			case strings.HasPrefix(name, "~"):
				expressions = append(expressions, s)
			default:
				table.Add(name, s)
			}
		}
		if len(s.Server.Names) == 0 {
			table.Add("", s)
		}
	}
	name := head.Host(w.Request.Host)
	if found, ok := table.Exactly(name); ok {
		return found, true, nil
	}
	if dynamic {
		return standard, false, unfollowed(w.Levels[0].Block, "server_name $hostname is not followed")
	}
	if found, ok := table.Find(name); ok {
		return found, true, nil
	}
	return byExpression(w, expressions, standard, name)
}

func byExpression(w *walk, all []conf.Sharer, standard conf.Sharer, host string) (conf.Sharer, bool, error) {
	seen := map[*conf.Server]bool{}
	for _, s := range all {
		if seen[s.Server] {
			continue
		}
		seen[s.Server] = true
		for _, name := range s.Server.Names {
			text, isExpression := strings.CutPrefix(name, "~")
			if !isExpression {
				continue
			}
			matched, err := w.Match(text, strings.ToLower(text) != text)(host)
			if err != nil {
				return s, false, unfollowed(conf.Directive{Name: "server", File: s.Server.File, Line: s.Server.Line},
					"%v", err)
			}
			if matched {
				return s, true, nil
			}
		}
	}
	return standard, false, nil
}
