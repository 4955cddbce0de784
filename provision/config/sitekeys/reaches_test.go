package sitekeys

import (
	"testing"

	"wsprovision/provision/config/kinds"
)

func TestListenReaches(t *testing.T) {
	for _, tc := range []struct {
		listen, backend string
		want            bool
	}{
		{"80", "127.0.0.1:80", true}, {"80", "127.9.9.9:80", true}, {"80", "localhost:80", true},
		{"0.0.0.0:80", "127.0.0.1:80", true}, {"[::]:80", "[::1]:80", true}, {"[::]:80", "LOCALHOST:80", true},
		{"10.0.0.1:80", "10.0.0.1:80", true},
		{"80", "127.0.0.1:81", false}, {"80", "[::1]:80", false}, {"[::]:80", "127.0.0.1:80", false},
		{"80", "10.0.0.1:80", false},
		{"10.0.0.1:80", "127.0.0.1:80", false}, {"80", "a.example.com:80", false},
	} {
		l, err1 := kinds.Listens.Parse(kinds.Scalar{Text: tc.listen})
		b, err2 := kinds.Backends.Parse(kinds.Scalar{Text: tc.backend})
		if err1 != nil || err2 != nil || reaches(l, b) != tc.want {
			t.Errorf("%s reaches %s: %v, want %v (%v, %v)", tc.listen, tc.backend, reaches(l, b), tc.want, err1, err2)
		}
	}
}
