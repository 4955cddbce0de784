package proxy

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"wsprovision/provision/host"
	"wsprovision/provision/managed"
	"wsprovision/provision/nginx"
	"wsprovision/provision/state"
)

const NamesBucket = host.NamesBucket

const NamesPath = host.NamesPath

// LongNames adds that file where a name that nginx hashes is too long for its
// own size, and nobody else sets it. What brings it is a name of the
// configuration; it stays for any that is left. Where the tree cannot be read
// whole, it stays as it is: nginx refuses the directive twice.
func (p *Sites) LongNames(all []managed.Want) ([]managed.Want, error) {
	content, err := p.buckets(all)
	if content == nil {
		return all, err
	}
	return append(all, managed.Want{Path: NamesPath, Content: content, Mode: SiteMode}), nil
}

// buckets is the file's content beside what is wanted; nil for no file.
func (p *Sites) buckets(all []managed.Want) ([]byte, error) {
	have, err := p.Files.Read(NamesPath)
	if err != nil {
		return nil, err
	}
	asked := p.longest()
	if _, recorded := p.Ledger.Find(state.KindFile, NamesPath); asked == 0 && (have.Content == nil ||
		!recorded) { // none, or somebody else's
		return nil, nil
	}
	files, err := p.Managed.ReadAll(all)
	if err != nil {
		return nil, err
	}
	others := managed.Overlay(files)
	others[NamesPath] = nil
	tree, err := p.Survey.Tree(others)
	switch {
	case errors.Is(err, fs.ErrNotExist): // nginx is still to come, and its nginx.conf is then read
		return bucketFile(asked), nil
	case err != nil && p.Reverting: // nginx -t has the last word
		return nil, nil
	case err != nil:
		return have.Content, nil
	case tree.HTTP(NamesBucket):
		return nil, nil
	}
	return bucketFile(nginx.NamesBucket(tree.HashedNames())), nil
}

// longest is the size that the configuration's names need, 0 where nginx's own does.
func (p *Sites) longest() int {
	var names []string
	for _, site := range p.Config.Sites {
		names = append(names, site.ServerNames...)
	}
	return nginx.NamesBucket(names)
}

func bucketFile(size int) []byte {
	if size == 0 {
		return nil
	}
	return fmt.Appendf(nil, "%s\n%s %d;\n", header, NamesBucket, size)
}

// InOrder has files change in such an order that nginx takes the configuration
// at every instant: the size of the buckets grows before any name does, and
// shrinks after it. change says how a file's content changes.
func InOrder[F any](files []F, change func(F) (path string, from, to []byte)) []F {
	rank := func(f F) int {
		path, from, to := change(f)
		if path != NamesPath {
			return 0
		}
		_, older, _ := bytes.Cut(from, []byte("\n")) // the first line was another in 1.0.0
		_, newer, _ := bytes.Cut(to, []byte("\n"))
		return bytes.Compare(older, newer) // three digits in the same text
	}
	return slices.SortedStableFunc(slices.Values(files), func(a, b F) int { return cmp.Compare(rank(a), rank(b)) })
}
