package route

import (
	"strings"

	"wsprovision/provision/nginx/conf"
	"wsprovision/provision/nginx/files"
)

// branch is an if. In a location its block takes the location's place (ngx_http_script_if_code).
func (s *script) branch(d conf.Directive) (bool, error) {
	value, err := s.condition(d)
	if err != nil {
		return false, err
	}
	if value == "" || value == "0" {
		return false, nil
	}
	s.step(d, "if %s", joined(d.Args))
	if s.Levels[0].Kind != conf.ServerBlock {
		s.Levels = s.Levels.Around().Below(d, conf.InnerBlock)
		if err := s.enter(); err != nil {
			return false, err
		}
	} else if err := readable(d.Body); err != nil {
		return false, err
	}
	return s.run(d.Body)
}

// terms are those between the parentheses (ngx_http_rewrite_if_condition).
func terms(args []string) []string {
	words := append([]string(nil), args...)
	if len(words) == 0 || !strings.HasPrefix(words[0], "(") || !strings.HasSuffix(words[len(words)-1], ")") {
		return nil
	}
	words[0] = words[0][1:]
	last := len(words) - 1
	words[last] = words[last][:len(words[last])-1]
	if words[0] == "" {
		words = words[1:]
	}
	if last = len(words) - 1; last >= 0 && words[last] == "" {
		words = words[:last]
	}
	return words
}

// condition is what nginx tests: anything but nothing and 0 is true.
func (s *script) condition(d conf.Directive) (string, error) {
	c := terms(d.Args)
	if len(c) == 0 || len(c) > 3 {
		return "", unfollowed(d, "the condition is not understood")
	}
	if strings.HasPrefix(strings.TrimPrefix(c[0], "!"), "-") && len(c) == 2 {
		return s.file(d, c[0], c[1])
	}
	if len(c) == 2 || !strings.HasPrefix(c[0], "$") {
		return "", unfollowed(d, "the condition is not understood")
	}
	left := s.Variable(strings.ToLower(c[0][1:]))
	if !left.Known {
		return "", unfollowed(d, "%s", left.Why)
	}
	if len(c) == 1 {
		return left.Text, nil
	}
	return s.compare(d, left.Text, c[1], c[2])
}

func (s *script) compare(d conf.Directive, left, operator, right string) (string, error) {
	holds := false
	switch operator {
	case "=", "!=":
		v := s.text(right, s.quoted)
		if !v.Known {
			return "", unfollowed(d, "%s", v.Why)
		}
		holds = v.Text == left
	case "~", "~*", "!~", "!~*":
		var err error
		if holds, err = s.Match(right, strings.HasSuffix(operator, "*"))(left); err != nil {
			return "", unfollowed(d, "%v", err)
		}
		if !holds {
			s.Groups = nil
		}
	default:
		return "", unfollowed(d, "the condition is not understood")
	}
	if holds != strings.HasPrefix(operator, "!") {
		return "1", nil
	}
	return "", nil
}

// file is -f, -d, -e or -x (ngx_http_script_file_code).
func (s *script) file(d conf.Directive, operator, name string) (string, error) {
	v := s.text(name, s.quoted)
	if !v.Known {
		return "", unfollowed(d, "%s", v.Why)
	}
	found, err := s.find(d, v.Text)
	if err != nil {
		return "", err
	}
	holds := false
	switch strings.TrimPrefix(operator, "!") {
	case "-f":
		holds = found.Kind == files.Plain
	case "-d":
		holds = found.Kind == files.Directory
	case "-e":
		if found.Kind == files.Special {
			return "", unfollowed(d, "what is no file is not followed")
		}
		holds = found.Kind != files.Absent
	default:
		return "", unfollowed(d, "%s is not followed", operator)
	}
	if holds != strings.HasPrefix(operator, "!") {
		return "1", nil
	}
	return "", nil
}
