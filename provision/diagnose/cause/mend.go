package cause

import (
	"net/netip"
	"strconv"
	"strings"

	"wsprovision/provision/plaintext"
)

// Mend is what a person does about a cause: command lines for bash, or words. It is put together of words that stand in
// this program and of values from elsewhere, which are quoted here and nowhere else. So whatever a client, a backend or
// a file says, it is never more than one argument of a command. The zero value is nothing to do.
type Mend struct {
	written string
	void    bool // a value has a NUL, which no argument can have
}

// Words are this program's own: a constant becomes words by itself, a variable does not.
type Words string

// Do is one command.
func Do(argv ...string) Mend { return Mend{}.Do(argv...) }

// Say is words for a person.
func Say(w Words) Mend { return Mend{}.Say(w) }

// IsZero reports whether there is nothing to do.
func (m Mend) IsZero() bool { return m.String() == "" }

// String is what to paste or to read.
func (m Mend) String() string {
	if m.void {
		return ""
	}
	return m.written
}

// MarshalText makes it a string in JSON.
func (m Mend) MarshalText() ([]byte, error) { return []byte(m.String()), nil }

// UnmarshalText reads what MarshalText wrote.
func (m *Mend) UnmarshalText(text []byte) error {
	*m = Mend{written: string(text)}
	return nil
}

// Do goes on with a command.
func (m Mend) Do(argv ...string) Mend {
	m.void = m.void || strings.ContainsRune(strings.Join(argv, ""), 0)
	m.written += plaintext.Command(argv)
	return m
}

// And goes on with a command for when the one before went well.
func (m Mend) And(argv ...string) Mend {
	if !m.IsZero() {
		m.written += " && "
	}
	return m.Do(argv...)
}

// Into has the command before write to the file.
func (m Mend) Into(file string) Mend {
	m.written += " >"
	return m.Do(file)
}

// Say goes on with words.
func (m Mend) Say(w Words) Mend {
	m.written += string(w)
	return m
}

// Note ends a command line with words, which are a comment to bash.
func (m Mend) Note(w Words) Mend { return m.Say(" # ").Say(w) }

// Name goes on with a value: a path, a host, an address.
func (m Mend) Name(value string) Mend {
	if a, err := netip.ParseAddrPort(value); err == nil && a.Addr().Zone() == "" {
		m.written += value // [::1]:80, which quotes would not make clearer
		return m
	}
	return m.Do(value)
}

// Number goes on with a number.
func (m Mend) Number(n int) Mend {
	m.written += strconv.Itoa(n)
	return m
}

// Line goes on with a place in a file.
func (m Mend) Line(file string, line int) Mend { return m.Name(file).Say(":").Number(line) }

// Join goes on with another.
func (m Mend) Join(other Mend) Mend { return Mend{m.written + other.written, m.void || other.void} }
