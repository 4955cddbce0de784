package handshake

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/textproto"
	"slices"
	"strings"
)

const (
	maxHeader = 64 << 10 // of a response; nginx itself takes 4 or 8 KiB from its upstream
	maxBody   = 1 << 10  // of a refusal, kept as evidence
	maxGot    = 256
	maxEarly  = 5 // interim 1xx answers before the one that counts
)

var errHeaderTooLong = fmt.Errorf("its header is longer than %d KiB", maxHeader>>10)

// bounded is a reader that ends a header without end, and remembers how what came began.
type bounded struct {
	r    io.Reader
	left int64
	got  []byte
}

func newBounded(r io.Reader) *bounded { return &bounded{r: r, left: maxHeader} }

func (b *bounded) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, errHeaderTooLong
	}
	n, err := b.r.Read(p[:min(int64(len(p)), b.left)])
	b.left -= int64(n)
	if room := maxGot - len(b.got); room > 0 {
		b.got = append(b.got, p[:min(n, room)]...)
	}
	return n, err
}

func (b *bounded) lift() { b.left = math.MaxInt64 }

// readResponse reads the response that counts: interim ones (100, 103) are passed over, 101 is not interim.
func readResponse(br *bufio.Reader) (*http.Response, error) {
	for range maxEarly {
		head, err := readHead(br)
		if err != nil {
			return nil, err
		}
		resp, err := parse(head, br)
		if err != nil {
			return nil, err
		}
		if resp.StatusCode/100 != 1 || resp.StatusCode == http.StatusSwitchingProtocols {
			return resp, nil
		}
	}
	return nil, errors.New("nothing but interim answers")
}

// readHead is a response up to its empty line, each byte of it: what follows belongs to the frames.
func readHead(br *bufio.Reader) (head []byte, err error) {
	start := 0 // of the line under way
	for {
		part, err := br.ReadSlice('\n')
		head = append(head, part...)
		if errors.Is(err, bufio.ErrBufferFull) {
			continue
		}
		line := bytes.TrimRight(head[start:], "\r\n")
		switch {
		case err != nil:
			return nil, err
		case start == 0 && !bytes.HasPrefix(head, []byte("HTTP/")):
			return nil, errors.New("malformed HTTP response") // and no use to wait for its end
		case start > 0 && len(line) == 0:
			return head, nil
		}
		start = len(head)
	}
}

// parse leaves the reading to net/http, but not what it does to the header: "Connection: close" would be taken out.
func parse(head []byte, body io.Reader) (*http.Response, error) {
	resp, err := http.ReadResponse(bufio.NewReader(io.MultiReader(bytes.NewReader(head), body)), nil)
	if err != nil {
		return nil, err
	}
	_, fields, _ := bytes.Cut(head, []byte("\n"))
	all, err := textproto.NewReader(bufio.NewReader(bytes.NewReader(fields))).ReadMIMEHeader()
	if err != nil {
		return nil, err
	}
	resp.Header = http.Header(all)
	return resp, nil
}

// judge says what in a 101 is not as RFC 6455 section 4.1 wants it: headers, then digest, all of it.
func judge(resp *http.Response, sent http.Header) error {
	var problems []error
	add := func(field, want string) {
		problems = append(problems, &HeaderError{Field: field, Want: want, Got: resp.Header.Values(field)})
	}
	if !resp.ProtoAtLeast(1, 1) {
		problems = append(problems, &HeaderError{Field: "status line", Want: "HTTP/1.1", Got: []string{resp.Proto}})
	}
	if !hasToken(resp.Header, "Upgrade", "websocket") {
		add("Upgrade", "websocket")
	}
	if !hasToken(resp.Header, "Connection", "upgrade") {
		add("Connection", "upgrade")
	}
	if got := resp.Header.Get("Sec-WebSocket-Protocol"); got != "" && !hasToken(sent, "Sec-WebSocket-Protocol", got) {
		add("Sec-WebSocket-Protocol", "one that was offered")
	}
	if got := resp.Header.Get("Sec-WebSocket-Extensions"); got != "" && sent.Get("Sec-WebSocket-Extensions") == "" {
		add("Sec-WebSocket-Extensions", "none, as none was offered")
	}
	key := sent.Get("Sec-WebSocket-Key")
	if got := resp.Header.Values("Sec-WebSocket-Accept"); !slices.Equal(got, []string{Digest(key)}) {
		problems = append(problems, &AcceptError{Key: key, Want: Digest(key), Got: got})
	}
	return errors.Join(problems...)
}

// hasToken looks for one member of a comma-separated field, in any case of letters.
func hasToken(h http.Header, field, want string) bool {
	for _, v := range h.Values(field) {
		for member := range strings.SplitSeq(v, ",") {
			if strings.EqualFold(strings.TrimSpace(member), want) {
				return true
			}
		}
	}
	return false
}
