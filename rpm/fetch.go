package rpm

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"time"
)

const (
	fetchTime    = 2 * time.Minute // for everything, where ctx has no deadline of its own
	maxRedirects = 5
)

// Fetch reads an http, https or file URL into memory: at most limit bytes, in at most two minutes unless ctx says otherwise. What comes is
// not to be trusted before its fingerprint or signature is checked. A redirect from https to http is refused. The client's own timeout,
// proxy and roots hold; nil is http.DefaultClient.
func (h Host) Fetch(ctx context.Context, client *http.Client, address string, limit int64) ([]byte, error) {
	data, err := h.fetch(ctx, client, address, limit)
	if err != nil {
		return nil, fmt.Errorf("fetch %s: %w", redacted(address), err)
	}
	return data, nil
}

func (h Host) fetch(ctx context.Context, client *http.Client, address string, limit int64) ([]byte, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, errors.New("not a URL")
	}
	switch {
	case u.Scheme == "file" && u.Host == "" && filepath.IsAbs(u.Path):
		return h.fetchFile(u.Path, limit)
	case (u.Scheme == "http" || u.Scheme == "https") && u.Host != "":
		return fetchHTTP(ctx, client, address, limit)
	}
	return nil, errors.New("not an http, https or file:/// URL")
}

func (h Host) fetchFile(path string, limit int64) ([]byte, error) {
	f, err := os.Open(filepath.Join(h.Root, path))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return nil, errors.Join(errors.New("not a regular file"), err)
	}
	return readAll(f, limit)
}

func fetchHTTP(ctx context.Context, client *http.Client, address string, limit int64) ([]byte, error) {
	if _, ok := ctx.Deadline(); !ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, fetchTime)
		defer cancel()
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	resp, err := bounded(client).Do(req)
	if err != nil {
		if e := (*url.Error)(nil); errors.As(err, &e) {
			err = e.Err // the address is in our own sentence
		}
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the server answered %s", resp.Status)
	}
	if resp.ContentLength > limit {
		return nil, fmt.Errorf("%d bytes, more than %d", resp.ContentLength, limit)
	}
	return readAll(resp.Body, limit)
}

func bounded(client *http.Client) *http.Client {
	if client == nil {
		client = http.DefaultClient
	}
	own := *client
	own.CheckRedirect = func(req *http.Request, via []*http.Request) error {
		if len(via) > maxRedirects {
			return fmt.Errorf("more than %d redirects", maxRedirects)
		}
		if via[len(via)-1].URL.Scheme == "https" && req.URL.Scheme != "https" {
			return fmt.Errorf("a redirect from https to %s", req.URL.Scheme)
		}
		return nil
	}
	return &own
}

func readAll(r io.Reader, limit int64) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err != nil {
		return nil, err
	}
	if int64(len(data)) > limit {
		return nil, fmt.Errorf("more than %d bytes", limit)
	}
	if len(data) == 0 {
		return nil, errors.New("it is empty")
	}
	return data, nil
}

// redacted keeps a password in an address out of errors and logs.
func redacted(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return "the address"
	}
	return u.Redacted()
}
