package screen

import (
	"bytes"
	"io"
)

// CRLF makes the line ends of HTTP those of a terminal.
type CRLF struct{ W io.Writer }

func (c CRLF) Write(p []byte) (int, error) {
	if _, err := c.W.Write(bytes.ReplaceAll(p, []byte("\r\n"), []byte("\n"))); err != nil {
		return 0, err
	}
	return len(p), nil
}
