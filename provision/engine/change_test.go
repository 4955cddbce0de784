package engine

import (
	"errors"
	"strings"
	"testing"

	multierror "github.com/hashicorp/go-multierror"
)

// A diff names a file that is not there as patch(1) does, and shows no credentials; where they alone differ it says so.
func TestUnified(t *testing.T) {
	const repo, secret = "/etc/yum.repos.d/x.repo", "baseurl=https://user:one@h/7\n"
	changed := strings.Replace(secret, "one", "two", 1)
	for name, tt := range map[string]struct {
		path     string
		from, to *string
		has, not []string
	}{
		"written":       {"/x", nil, ptr("a\n"), []string{"--- /dev/null\n+++ /x\n", "+a\n"}, nil},
		"removed":       {"/x", ptr("a\n"), nil, []string{"--- /x\n+++ /dev/null\n", "-a\n"}, nil},
		"changed":       {"/x", ptr("a\n"), ptr("b\n"), []string{"--- /x\n+++ /x\n", "-a\n", "+b\n"}, nil},
		"no repository": {"/x", nil, ptr(secret), []string{"user:one"}, nil},
		"a repository": {repo, nil, ptr("enabled=1\n" + secret), []string{"--- /dev/null", "+enabled=1\n"},
			[]string{"one"}},
		"one that goes": {repo, ptr("enabled=1\n" + secret), nil, []string{"+++ /dev/null", "-enabled=1\n"},
			[]string{"one"}},
		"credentials alone": {repo, ptr(secret), ptr(changed), []string{"(the credentials in " + repo + " differ"},
			[]string{"one", "two"}},
		"nothing": {repo, ptr(secret), ptr(secret), nil, []string{"credentials"}},
		"credentials removed": {repo, ptr(secret), ptr("baseurl=https://h/7\n"), []string{"+baseurl=https://h/7\n"},
			[]string{"one"}},
	} {
		got := Unified(tt.path, bytesOf(tt.from), bytesOf(tt.to))
		for _, want := range tt.has {
			if !strings.Contains(got, want) {
				t.Errorf("%s: %q lacks %q", name, got, want)
			}
		}
		for _, secret := range tt.not {
			if strings.Contains(got, secret) {
				t.Errorf("%s: %q shows %q", name, got, secret)
			}
		}
		if (got == "") != (tt.has == nil) {
			t.Errorf("%s: %q", name, got)
		}
	}
}

func ptr(s string) *string { return &s }

func bytesOf(s *string) []byte {
	if s == nil {
		return nil
	}
	return []byte(*s)
}

// What is deferred is not outstanding, and a change says so in its line.
func TestOutstanding(t *testing.T) {
	now, later := Change{Object: "o", From: "a", To: "b"}, Change{Object: "p", From: "a", To: "b",
		Deferred: "no kernel"}
	if got := Outstanding([]Change{now, later}); len(got) != 1 || got[0] != now {
		t.Errorf("%v", got)
	}
	if now.String() != "o: a → b" || later.String() != "p: a → b (deferred: no kernel)" {
		t.Errorf("%s, %s", now, later)
	}
}

func TestLines(t *testing.T) {
	if Lines(nil) != nil || Lines(&multierror.Error{}) != nil {
		t.Error("nothing is an error")
	}
	one := errors.New("one")
	err := Lines(multierror.Append(nil, one, errors.New("two")))
	if err == nil || err.Error() != "one\ntwo" || !errors.Is(err, one) {
		t.Errorf("%v", err)
	}
	if AndMore(0) != "" || AndMore(2) != " and of 2 more files" {
		t.Errorf("%q, %q", AndMore(0), AndMore(2))
	}
}
