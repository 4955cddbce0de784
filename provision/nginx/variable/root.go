package variable

import (
	"path"
	"strings"

	"wsprovision/provision/nginx/conf"
)

// Base is where files are looked for: root, or alias in place of the location's name.
type Base struct {
	directive *conf.Directive
	text      string
	// Alias is how much of the path the alias stands for; Whole where it is one of a regular expression.
	Alias int
	Whole bool
}

// baseOf is the root or alias in force, as it is written.
func baseOf(s *Scope) Base {
	for i := range s.Levels {
		each := s.Levels[i:]
		if d := each[:1].Value("root", "alias"); d != nil {
			b := Base{directive: d, text: d.Args[0]}
			if d.Name == "root" {
				b.text = strings.TrimSuffix(b.text, "/")
				return b
			}
			modifier, name := conf.LocationName(each.Location().Args)
			b.Alias, b.Whole = len(name), conf.IsRegular(modifier)
			return b
		}
	}
	return Base{text: "html"}
}

// isAlias: a name of no length is no alias to nginx.
func (b Base) isAlias() bool { return b.Whole || b.Alias > 0 }

// Start is the base as a path of the host. False: the path was rewritten, and nginx answers 500 for an alias.
func (s *Scope) Start() (Base, Value, bool) {
	b := baseOf(s)
	if b.isAlias() && !s.At.Matched {
		return b, Value{}, false
	}
	v := s.Value(b.text)
	if v.Known && !path.IsAbs(v.Text) {
		v.Text = strings.TrimSuffix(s.prefix, "/") + "/" + v.Text
	}
	return b, v, true
}

// File is the file of the path (ngx_http_map_uri_to_path).
func (s *Scope) File() (Base, Value, bool) {
	b, v, ok := s.Start()
	switch {
	case !ok || !v.Known:
	case b.Whole && !s.At.Appended:
	case b.Whole:
		v.Text += s.At.Path
	case b.Alias > len(s.At.Path):
		v = Unknown("the path is shorter than the location's name")
	default:
		v.Text += s.At.Path[b.Alias:]
	}
	return b, v, ok
}

func documentRoot(s *Scope) Value {
	b, v, ok := s.Start()
	if !ok || b.isAlias() && b.Whole {
		return Unknown("$document_root is not followed here")
	}
	return v
}

func requestFilename(s *Scope) Value {
	_, v, ok := s.File()
	if !ok {
		return Unknown("$request_filename is not followed here")
	}
	return v
}

// Place is the directive to name for a file: its root, else the block.
func (s *Scope) Place(b Base) conf.Directive {
	if b.directive != nil {
		return *b.directive
	}
	return s.Levels[0].Block
}
