package config

import (
	"fmt"

	"wsprovision/provision/config/reading"
	"wsprovision/provision/config/sitekeys"

	"go.yaml.in/yaml/v3"
)

// Marshal writes the effective configuration, every default spelled out, as a file that Load reads to the same Config
// but for its Source. It is an error now, and not at the first boot that wants it, if Load would not.
func (c Config) Marshal() ([]byte, error) {
	effective := c
	// The built-in key is the one whose fingerprint is the default, and needs none written.
	if c.EPEL.GPGKey == "" {
		effective.EPEL.Fingerprint = ""
	}
	content, err := effective.encode()
	if err != nil {
		return nil, fmt.Errorf("write the effective configuration: %w", err)
	}
	const name = "effective configuration"
	read := func(string) ([]byte, error) { return content, nil }
	if _, err := Load(Input{File: name, ReadFile: read, Limit: MaxMarshalled, Deferred: true}); err != nil {
		return nil, err
	}
	return content, nil
}

func (c Config) encode() ([]byte, error) {
	var rest yaml.Node
	if err := rest.Encode(c); err != nil {
		return nil, err
	}
	sites := yaml.Node{Kind: yaml.SequenceNode}
	for _, s := range c.Sites {
		n := reading.Write(s, sitekeys.Fields())
		sites.Content = append(sites.Content, &n)
	}
	name := &yaml.Node{}
	name.SetString("sites")
	rest.Content = append([]*yaml.Node{name, &sites}, rest.Content...)
	return yaml.Marshal(&rest)
}
