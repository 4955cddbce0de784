package policydb

import (
	"bytes"
	"encoding/binary"
	"errors"
	"strings"
	"testing"
)

// written is what a policy has, word by word; text is written without its length.
func written(items ...any) *bytes.Reader {
	var b bytes.Buffer
	for _, item := range items {
		switch v := item.(type) {
		case int:
			b.Write(binary.LittleEndian.AppendUint32(nil, uint32(v)))
		case string:
			b.WriteString(v)
		}
	}
	return bytes.NewReader(b.Bytes())
}

// The tables are hashes: an alias may come before the type that it is of, and behind it.
func TestAlias(t *testing.T) {
	alias, primary := []any{5, 3, 0, 0, "old_t"}, []any{5, 3, 1, 0, "new_t"}
	for name, items := range map[string][]any{"before": append(alias, primary...),
		"behind": append(primary, alias...)} {
		d := NewDecoder(written(items...))
		d.tables().typ()
		d.tables().typ()
		if d.Err != nil || d.types[3] != "new_t" {
			t.Errorf("the alias %s the type: %q, %v", name, d.types, d.Err)
		}
	}
}

// context is one of a type, in a range of one level without categories.
func context(value int) []any { return []any{1, 1, value, 1, 1, 64, 0, 0} }

// The initial SIDs come first, then file systems, which have two contexts each, then the ports.
func TestContexts(t *testing.T) {
	sid := append([]any{1, 9}, context(1)...)
	system := append(append([]any{1, 4, "ext4"}, context(2)...), context(2)...)
	port := append([]any{1, 6, 80, 80}, context(2)...)
	d := NewDecoder(written(append(append(sid, system...), port...)...))
	d.types = []string{"", "port_t", "http_port_t"}
	d.objects().contexts()
	want := Port{Proto: "tcp", Low: 80, High: 80, Type: "http_port_t"}
	if d.Err != nil || d.Unlisted != "port_t" || len(d.Ports) != 1 || d.Ports[0] != want {
		t.Errorf("unlisted %q, ports %v, %v", d.Unlisted, d.Ports, d.Err)
	}
}

// What no policy has is an error, and no port of another meaning.
func TestHostileContexts(t *testing.T) {
	for _, tt := range []struct {
		want  string
		items []any
	}{
		{"portcon of protocol 99, 80-80", append([]any{99, 80, 80}, context(2)...)},
		{"portcon of protocol 6, 81-80", append([]any{6, 81, 80}, context(2)...)},
		{"portcon of protocol 6, 80-65536", append([]any{6, 80, 65536}, context(2)...)},
		{"a context of the unknown type 0", append([]any{6, 80, 80}, context(0)...)},
		{"a context of the unknown type 3", append([]any{6, 80, 80}, context(3)...)},
		{"a range of 3 levels", []any{6, 80, 80, 1, 1, 2, 3}},
		{"a bitmap in units of 32", []any{6, 80, 80, 1, 1, 2, 1, 1, 32, 0, 0}},
	} {
		d := NewDecoder(written(tt.items...))
		d.types = []string{"", "port_t", "http_port_t"}
		d.objects().portcon()
		if !errors.Is(d.Err, ErrPolicyFormat) || !strings.Contains(d.Err.Error(), tt.want) || len(d.Ports) > 0 {
			t.Errorf("%v: %v, want %q", d.Ports, d.Err, tt.want)
		}
	}
}
