package yumconf

import (
	"strings"
	"testing"

	"wsprovision/rpm/said"
)

func FuzzINI(f *testing.F) {
	f.Add("[epel]\nname=x ; y\ngpgkey=a\n  b\n")
	f.Add("[main]\nreposdir: /a,/b\nrem x\nREM\n")
	f.Add("[a]\nk = v\n[a]\nk=w\n[]\n=\n")
	f.Fuzz(func(t *testing.T, text string) {
		p := &iniParser{}
		for _, line := range said.Lines(text) {
			if p.line(line, "x.repo:1") != nil {
				return
			}
		}
		for _, s := range p.sections {
			for k := range s.Keys {
				if k == "" || k != strings.ToLower(k) {
					t.Errorf("key %q", k)
				}
			}
			repository(s, section{}, "/x.repo")
		}
	})
}
