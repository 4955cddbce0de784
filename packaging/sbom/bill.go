package main

import (
	"crypto/sha256"
	"debug/buildinfo"
	"encoding/base64"
	"fmt"
	"os"
	"strings"
)

// bill is a CycloneDX document (its JSON reference of version 1.5), as far as it is filled in here.
type bill struct {
	Format       string       `json:"bomFormat"`
	Spec         string       `json:"specVersion"`
	Serial       string       `json:"serialNumber"`
	Version      int          `json:"version"`
	Metadata     metadata     `json:"metadata"`
	Components   []component  `json:"components"`
	Dependencies []dependency `json:"dependencies"`
}

type metadata struct {
	Component component `json:"component"`
}

type component struct {
	Type       string     `json:"type"`
	Ref        string     `json:"bom-ref"`
	Name       string     `json:"name"`
	Version    string     `json:"version"`
	URL        string     `json:"purl,omitempty"`
	Hashes     []hash     `json:"hashes,omitempty"`
	Properties []property `json:"properties,omitempty"`
}

type hash struct {
	Algorithm string `json:"alg"`
	Content   string `json:"content"`
}

type property struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

type dependency struct {
	Ref string   `json:"ref"`
	On  []string `json:"dependsOn,omitempty"`
}

// read fails where a linked module has no sum in go.sum: the bill would name what nobody has checked.
func read(version, executable, goSum string) (bill, error) {
	content, err := os.ReadFile(executable)
	if err != nil {
		return bill{}, err
	}
	info, err := buildinfo.ReadFile(executable)
	if err != nil {
		return bill{}, fmt.Errorf("read the modules of %s: %w", executable, err)
	}
	sums, err := sumsOf(goSum)
	if err != nil {
		return bill{}, err
	}
	digest := sha256.Sum256(content)
	b := bill{Format: "CycloneDX", Spec: "1.5", Serial: serial(digest), Version: 1, Metadata: metadata{component{
		Type: "application", Ref: "wsprovision", Name: "wsprovision", Version: version,
		Hashes: []hash{{"SHA-256", fmt.Sprintf("%x", digest)}}}}}
	b.add("std", strings.TrimPrefix(info.GoVersion, "go"), "")
	for _, m := range info.Deps {
		sum, ok := sums[m.Path+" "+m.Version]
		if !ok || m.Replace != nil {
			return bill{}, fmt.Errorf("%s has %s %s linked in, of which %s has no sum", executable, m.Path,
				m.Version, goSum)
		}
		b.add(m.Path, m.Version, sum)
	}
	b.depend()
	return b, nil
}

// add takes a Go module; std is what the bill's format has for Go's standard library.
func (b *bill) add(path, version, sum string) {
	c := component{Type: "library", Name: path, Version: version, URL: "pkg:golang/" + path + "@" + version}
	c.Ref = c.URL
	if sum != "" {
		c.Properties = []property{{"go:sum", sum}}
	}
	b.Components = append(b.Components, c)
}

// depend says that all of it is linked into the one executable; which module asks for which, Go does not write down.
func (b *bill) depend() {
	all := dependency{Ref: b.Metadata.Component.Ref}
	for _, c := range b.Components {
		all.On = append(all.On, c.Ref)
	}
	b.Dependencies = append(b.Dependencies, all)
}

// sumsOf reads go.sum: the sum of each module's files, by path and version. A line is "path version h1:sum"; those of
// go.mod files alone are passed over (go help go.sum).
func sumsOf(name string) (map[string]string, error) {
	content, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	sums := map[string]string{}
	for line := range strings.Lines(string(content)) {
		f := strings.Fields(line)
		if len(f) != 3 || !strings.HasPrefix(f[2], "h1:") {
			return nil, fmt.Errorf("%s: no line of sums: %q", name, line)
		}
		if _, err := base64.StdEncoding.DecodeString(f[2][3:]); err != nil {
			return nil, fmt.Errorf("%s: %q: %w", name, line, err)
		}
		if !strings.HasSuffix(f[1], "/go.mod") {
			sums[f[0]+" "+f[1]] = f[2]
		}
	}
	return sums, nil
}

// serial is a UUID made of the executable's digest (RFC 9562, version 8): another one for another executable.
func serial(digest [sha256.Size]byte) string {
	u := digest[:16]
	u[6], u[8] = u[6]&0x0f|0x80, u[8]&0x3f|0x80
	return fmt.Sprintf("urn:uuid:%x-%x-%x-%x-%x", u[:4], u[4:6], u[6:8], u[8:10], u[10:])
}
