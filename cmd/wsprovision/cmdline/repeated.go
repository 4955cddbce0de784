package cmdline

// repeated is a flag with a list, separated by commas. Where it is repeated, the lists are one.
type repeated struct {
	text string
	set  bool
}

func (l *repeated) String() string { return l.text }

func (l *repeated) Type() string { return "string" }

func (l *repeated) Set(value string) error {
	if l.set {
		value = l.text + "," + value
	}
	l.text, l.set = value, true
	return nil
}
