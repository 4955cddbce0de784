package websocket

import (
	"bytes"
	"errors"
	"io"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func TestWatch(t *testing.T) {
	long := append([]byte{0x82, 126, 0x01, 0x00}, make([]byte, 256)...)
	huge := append([]byte{0x82, 127, 0, 0, 0, 0, 0, 1, 0, 0}, make([]byte, 1<<16)...)
	for _, tt := range []struct {
		name   string
		stream []byte
		want   notes
		code   int
		fault  bool
	}{
		{"nothing", nil, notes{}, 1006, false},
		{"text", []byte("\x81\x02hi"), notes{frames: 1}, 1006, false},
		{"empty text", []byte("\x81\x00"), notes{frames: 1}, 1006, false},
		{"fragments", []byte("\x01\x01h\x80\x01i"), notes{frames: 2, fragments: 1}, 1006, false},
		{"compressed", []byte("\xc1\x01h"), notes{frames: 1, compressed: 1}, 1006, false},
		{"16 bit length", long, notes{frames: 1}, 1006, false},
		{"64 bit length", huge, notes{frames: 1}, 1006, false},
		{"ping, pong, close", []byte("\x89\x01p\x8a\x00\x88\x04\x03\xe9by"),
			notes{pings: 1, pongs: 1, closed: true, closeBody: []byte("\x03\xe9by")}, 1001, false},
		{"close without code", []byte("\x88\x00"), notes{closed: true}, 1005, false},
		{"close cut short", []byte("\x88\x02\x03"), notes{closeBody: []byte("\x03")}, 1006, false},
		{"masked", []byte("\x81\x82\x00\x00\x00\x00hi"), notes{}, 1006, true},
		{"long ping", []byte("\x89\x7e\x01\x00"), notes{}, 1006, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for name, r := range map[string]io.Reader{
				"whole": bytes.NewReader(tt.stream), "byte by byte": iotest.OneByteReader(bytes.NewReader(tt.stream)),
			} {
				w := &watch{r: r}
				got, err := io.ReadAll(w)
				var fault *FrameError
				if errors.As(err, &fault) != tt.fault {
					t.Fatalf("%s: error %v, want fault %v", name, err, tt.fault)
				}
				if tt.fault {
					continue
				}
				if !bytes.Equal(got, tt.stream) {
					t.Errorf("%s: %d bytes passed, want %d", name, len(got), len(tt.stream))
				}
				if diff := cmp.Diff(tt.want, w.seen(), cmp.AllowUnexported(notes{}),
					cmpopts.IgnoreFields(notes{}, "last")); diff != "" {
					t.Errorf("%s: -want +got\n%s", name, diff)
				}
				if code, _ := w.seen().closing(); code != tt.code {
					t.Errorf("%s: code %d, want %d", name, code, tt.code)
				}
			}
		})
	}
}

func FuzzWatch(f *testing.F) {
	f.Add([]byte("\x81\x02hi\x88\x02\x03\xe8"))
	f.Add([]byte("\x82\x7f\xff\xff\xff\xff\xff\xff\xff\xff"))
	f.Add([]byte("\x89\x80"))
	f.Fuzz(func(t *testing.T, stream []byte) {
		whole, pieces := &watch{r: bytes.NewReader(stream)}, &watch{r: iotest.OneByteReader(bytes.NewReader(stream))}
		_, err := io.ReadAll(whole)
		_, err2 := io.ReadAll(pieces)
		if (err == nil) != (err2 == nil) {
			t.Fatalf("whole: %v, in pieces: %v", err, err2)
		}
		if diff := cmp.Diff(whole.seen(), pieces.seen(), cmp.AllowUnexported(notes{}),
			cmpopts.IgnoreFields(notes{}, "last")); diff != "" {
			t.Fatal(diff)
		}
		if len(whole.notes.closeBody) > 125*len(stream) {
			t.Fatalf("close body of %d bytes", len(whole.notes.closeBody))
		}
	})
}
