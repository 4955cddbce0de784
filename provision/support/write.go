package support

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"strings"
)

// Pack is the archive: a tar, compressed by gzip, with a list of what is in it first.
func (a *Archive) Pack() ([]byte, error) {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	t := tar.NewWriter(z)
	add := func(name string, text []byte) error {
		header := &tar.Header{Name: "wsprovision-support/" + name, Mode: 0o600, Size: int64(len(text)), ModTime: a.Made,
			Format: tar.FormatPAX}
		if err := t.WriteHeader(header); err != nil {
			return err
		}
		_, err := t.Write(text)
		return err
	}
	if err := add("CONTENTS", []byte(a.Contents())); err != nil {
		return nil, err
	}
	for i, p := range a.Parts {
		if len(a.texts[i]) == 0 {
			continue
		}
		if err := add(p.Name, a.texts[i]); err != nil {
			return nil, err
		}
	}
	if err := errors.Join(t.Close(), z.Close()); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// Contents says what is in the archive, and what is not.
func (a *Archive) Contents() string {
	var b strings.Builder
	fmt.Fprintf(&b, "Gathered by wsprovision %s at %s. What may be a secret is replaced by … in %d places.\n"+
		"Not in here: keys, certificates, files of passwords, nginx's logs, and contents of files of others.\n\n",
		a.Agent, a.Made.Format("2006-01-02T15:04:05Z"), a.Hidden())
	for _, p := range a.Parts {
		fmt.Fprintf(&b, "%-40s %8d  %s", p.Name, p.Bytes, p.What)
		if p.Lacking != "" {
			fmt.Fprintf(&b, "\n%51slacking: %s", "", strings.ReplaceAll(p.Lacking, "\n", "; "))
		}
		b.WriteString("\n")
	}
	return b.String()
}
