package config

// Input is where a configuration comes from; nothing else is looked at.
type Input struct {
	File        string // given by --config, and must exist; "" is WSPROVISION_CONFIG's, else DefaultFile
	DefaultFile string // may be absent
	// ReadFile may be nil, and then reads from the file system no more than is accepted.
	ReadFile func(string) ([]byte, error)
	// SitesDir holds further files of the same form, read together with the default file; a file that was named is read
	// alone. "" for none.
	SitesDir string
	// Limit is how many bytes of a file are accepted; 0 is a mebibyte.
	Limit int
	// Trusted refuses a file that somebody else than root could have written, exchanged or made a pipe.
	Trusted bool
	Environ []string          // as os.Environ gives it; only WSPROVISION_… is looked at
	Flags   map[string]string // by name, without dashes, only those that the user typed; Flags tells the names
	// Deferred says that the file is the agent's own, which may have the key adopt.
	Deferred bool
}

// Load reads every layer and returns what they come to, or an *Error with all problems of all layers.
func Load(in Input) (Config, error) {
	c, _, err := gather(in)
	return c, err
}

// gather tells too where each value was written.
func gather(in Input) (Config, origins, error) {
	p := &problems{}
	env := environment(in.Environ, p)
	path, content := locate(in, env.config, p)
	file := readFile(path, content, in.Deferred, 0, p)
	if in.File == "" && env.config == "" {
		file.join(in.beside(p), p)
	}
	typed := flags(in.Flags, p)

	c, site, err := merge(file.layer, env.layer, typed)
	if err != nil {
		return Config{}, nil, err
	}
	at := origins{}
	at.add(file.layer.at, env.layer.at, typed.at)
	c.Sites = combine(file.sites, site, at, p)
	check(c, at, p)
	if err := p.err(); err != nil {
		return Config{}, nil, err
	}
	c.Source, c.Adopt = path, file.adopt
	return c, at, nil
}
