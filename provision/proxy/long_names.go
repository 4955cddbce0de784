package proxy

import (
	"cmp"
	"errors"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"wsprovision/provision/host"
	"wsprovision/provision/managed"
	"wsprovision/provision/nginx/conf"
	"wsprovision/provision/nginx/render"
	"wsprovision/provision/state"
)

const NamesBucket = host.NamesBucket

// IsNames tells the file with the sizes for names, also where it lay in another folder.
func IsNames(path string) bool { return filepath.Base(path) == host.NamesFile }

// LongNames adds that file where a name that nginx hashes is too long for its
// own size, and nobody else sets it. What brings it is a name of the
// configuration; it stays for any that is left. Where the tree cannot be read
// whole, it stays as it is: nginx refuses the directive twice.
func (p *Sites) LongNames(all []managed.Want) ([]managed.Want, error) {
	content, err := p.buckets(all)
	if content == nil {
		return all, err
	}
	return append(all, managed.Want{Path: p.NamesPath(), Content: content, Mode: SiteMode}), nil
}

// buckets is the file's content beside what is wanted; nil for no file.
func (p *Sites) buckets(all []managed.Want) ([]byte, error) {
	have, err := p.Files.Read(p.NamesPath())
	if err != nil {
		return nil, err
	}
	asked := p.asked(all)
	if _, recorded := p.Ledger.Find(state.KindFile, p.NamesPath()); asked == nil && (have.Content == nil ||
		!recorded) { // none, or somebody else's
		return nil, nil
	}
	files, err := p.Managed.ReadAll(all)
	if err != nil {
		return nil, err
	}
	others := managed.Overlay(files)
	others[p.NamesPath()] = nil
	tree, err := p.Survey.Tree(others)
	switch {
	case errors.Is(err, fs.ErrNotExist): // nginx is still to come, and its nginx.conf is then read
		return asked, nil
	case err != nil && p.Reverting: // nginx -t has the last word
		return nil, nil
	case err != nil:
		return have.Content, nil
	}
	return sizesFile(tree.HashedNames(), variables(all), tree.HTTP), nil
}

// asked is the file that the configuration's own names and variables need, nil where nginx's sizes do.
func (p *Sites) asked(all []managed.Want) []byte {
	var names []string
	for _, site := range p.Config.Sites {
		names = append(names, site.ServerNames...)
	}
	return sizesFile(names, variables(all), func(string) bool { return false })
}

// variables is how many of ours the files define.
func variables(all []managed.Want) (n int) {
	for _, w := range all {
		n += render.Variables(w.Content)
	}
	return n
}

// sizesFile has those of the sizes that nobody else has set.
func sizesFile(names []string, variables int, set func(directive string) bool) []byte {
	sizes := render.Sizes(names, conf.NamesBucket(names), variables, set)
	if len(sizes) == 0 {
		return nil
	}
	return slices.Concat([]byte(header+"\n"), sizes)
}

// InOrder has files change in such an order that nginx takes the configuration
// at every instant: the size of the buckets grows before any name does, and
// shrinks after it; what sites share is there before them, and goes after them.
// change says how a file's content changes.
func InOrder[F any](files []F, change func(F) (path string, from, to []byte)) []F {
	rank := func(f F) int {
		path, from, to := change(f)
		shared := render.Rank(filepath.Base(path))
		switch {
		case IsNames(path) && bucketOf(from) > bucketOf(to):
			return 3
		case IsNames(path):
			return -3
		case to == nil:
			return shared
		}
		return -shared
	}
	return slices.SortedStableFunc(slices.Values(files), func(a, b F) int { return cmp.Compare(rank(a), rank(b)) })
}

// bucketOf is the size that a file sets, 0 for nginx's own.
func bucketOf(content []byte) int {
	words := strings.Fields(string(content))
	i := slices.Index(words, NamesBucket)
	if i < 0 || i+1 == len(words) {
		return 0
	}
	n, err := strconv.Atoi(strings.TrimSuffix(words[i+1], ";"))
	if err != nil {
		return 0
	}
	return n
}
