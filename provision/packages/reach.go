package packages

import (
	"cmp"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"wsprovision/provision/plaintext"
	"wsprovision/provision/secret"
)

// The bounds on finding out who answers, before yum is run: of the mirrors together, and of the archive.
const (
	reachTime    = 30 * time.Second
	reachTries   = 2       // of one address; the second after five seconds
	reachMirrors = 3       // of the mirrors that a metalink names
	indexLimit   = 4 << 20 // bytes; a repomd.xml has 5 kB, a metalink 20 kB
	index        = "repodata/repomd.xml"
)

// reach finds out whether EPEL 7's mirrors answer, or only its archive (or epel.baseurl). yum would try for minutes,
// and would say of a metalink only that it cannot be retrieved.
func (o OneRun) reach(ctx context.Context) (mirrors bool, err error) {
	if o.Config.EPEL.BaseURL != "" {
		return false, o.within(ctx, func(ctx context.Context) error {
			return o.answers(ctx, o.archive().BaseURL)
		})
	}
	lost := o.within(ctx, o.mirrorsAnswer)
	if lost == nil {
		return true, nil
	}
	gone := o.within(ctx, func(ctx context.Context) error { return o.answers(ctx, epelArchive) })
	if gone == nil {
		o.say(fmt.Sprintf("EPEL 7's mirrors: %v; its archive answers: %s stays with it, and epel-release does not "+
			"come", lost, RepositoryPath))
		return false, nil
	}
	return false, fmt.Errorf("EPEL 7 cannot be had. Its mirrors: %w. Its archive: %w. Where this host reaches "+
		"neither of them, set epel.source to mirror, with epel.baseurl and epel.gpgkey, to package, with "+
		"epel.package and epel.gpgkey, to repository, where an enabled one has epel-release, or to none, where an "+
		"enabled one has nginx", lost, gone)
}

func (o OneRun) say(line string) {
	if o.RPM.Notice != nil {
		o.RPM.Notice(line)
	}
}

func (o OneRun) within(ctx context.Context, ask func(context.Context) error) error {
	ctx, cancel := context.WithTimeoutCause(ctx, reachTime,
		fmt.Errorf("no answer within %s", plaintext.Duration(reachTime)))
	defer cancel()
	return ask(ctx)
}

// mirrorsAnswer asks for the metalink, and one after the other for the mirrors that it names.
func (o OneRun) mirrorsAnswer(ctx context.Context) error {
	content, err := o.ask(ctx, expand(epelMetalink))
	if err != nil {
		return err
	}
	mirrors, err := mirrorsOf(content)
	if err != nil {
		return fmt.Errorf("%s: %w", hostOf(epelMetalink), err)
	}
	var lost error
	for _, mirror := range mirrors[:min(reachMirrors, len(mirrors))] {
		if err = o.answers(ctx, mirror); err == nil {
			return nil
		}
		if lost = err; ctx.Err() != nil {
			break
		}
	}
	return fmt.Errorf("%s answers, and the mirrors that it names do not, the last: %w", hostOf(epelMetalink), lost)
}

// answers reports that the repository has an index.
func (o OneRun) answers(ctx context.Context, base string) error {
	_, err := o.ask(ctx, strings.TrimSuffix(expand(base), "/")+"/"+index)
	return err
}

func (o OneRun) ask(ctx context.Context, address string) ([]byte, error) {
	h := o.RPM
	h.Attempts = reachTries
	return h.Fetch(ctx, o.HTTP, address, indexLimit)
}

// mirrorsOf are the repositories that a metalink names, those over https first.
func mirrorsOf(content []byte) ([]string, error) {
	var metalink struct {
		URLs []string `xml:"files>file>resources>url"`
	}
	if err := xml.Unmarshal(content, &metalink); err != nil {
		return nil, fmt.Errorf("its answer is no metalink: %w", err)
	}
	var mirrors []string
	for _, address := range metalink.URLs {
		base, ok := strings.CutSuffix(strings.TrimSpace(address), "/"+index)
		if u, err := url.Parse(base); ok && err == nil && u.Host != "" && (u.Scheme == "https" || u.Scheme == "http") {
			mirrors = append(mirrors, base)
		}
	}
	if len(mirrors) == 0 {
		return nil, errors.New("its answer names no mirror over http or https")
	}
	slices.SortStableFunc(mirrors, func(a, b string) int {
		return cmp.Compare(scheme(b), scheme(a))
	})
	return mirrors, nil
}

func scheme(address string) string {
	before, _, _ := strings.Cut(address, ":")
	return before
}

// hostOf is the host of an address, for a sentence.
func hostOf(address string) string {
	u, err := url.Parse(expand(address))
	if err != nil || u.Host == "" {
		return secret.Hide(address)
	}
	return u.Host
}
