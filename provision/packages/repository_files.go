package packages

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"

	"wsprovision/provision/engine"
	"wsprovision/provision/managed"
	"wsprovision/provision/secret"
	"wsprovision/provision/state"
	"wsprovision/rpm/openpgp"
	"wsprovision/rpm/yumconf"
)

// fileMode is that of a file that everybody may read.
const fileMode = 0o644

func (rs Repositories) repository() yumconf.Repository {
	return yumconf.Repository{
		ID: "wsprovision-epel", Name: "EPEL 7 for nginx, configured by wsprovision",
		BaseURL: rs.Config.EPEL.BaseURL, Metalink: rs.Config.EPEL.Metalink, Mirrorlist: rs.Config.EPEL.MirrorList,
		Enabled: true, GPGCheck: true, GPGKey: []string{"file://" + KeyPath},
	}
}

// RepositoryFiles are the files that the agent writes for yum, the repository
// and, where nobody asks for it any more, its key. They are dealt with like a
// server block, and owe nobody a reload.
func (rs Repositories) RepositoryFiles() ([]managed.File, error) {
	all, err := rs.wanted()
	if err != nil {
		return nil, err
	}
	for _, path := range []string{RepositoryPath, KeyPath} {
		e, recorded := rs.Ledger.Find(state.KindFile, path)
		if rs.Keys().asks(path) || !recorded {
			continue
		}
		gone, err := rs.Managed.Obsolete(e)
		if err != nil {
			return nil, err
		}
		all = append(all, gone...)
	}
	// A repository without its key would make every yum on the host fail: it
	// goes first, and where it has to stay the key does.
	slices.SortFunc(all, func(a, b managed.Want) int { return strings.Compare(b.Path, a.Path) })
	files, err := rs.Managed.ReadAll(all)
	if len(files) > 0 && files[0].Path == RepositoryPath && files[0].Kept {
		files = files[:1]
	}
	return files, err
}

// modeOf is the mode of a repository's file: one that holds credentials is for root alone.
func modeOf(content []byte) fs.FileMode {
	if secret.In(string(content)) {
		return 0o600
	}
	return fileMode
}

func (rs Repositories) checkRepositoryFiles(f *engine.Finding) error {
	f.Warnings = append(f.Warnings, rs.exposed()...)
	files, err := rs.RepositoryFiles()
	if err != nil {
		return err
	}
	return rs.Managed.Check(f, files)
}

// KeyFile is the key on the disk, which is judged by its fingerprint and not
// fetched again: only one with another is of any interest.
func (k Keys) KeyFile() (key managed.File, wrong error, err error) {
	key, err = k.Managed.File(managed.Want{Path: KeyPath, Content: []byte{}, Mode: fileMode})
	if err != nil {
		return key, nil, err
	}
	there, wrong := k.oneKey(key.Have.Content)
	// One that has expired since it was put there stays: what it signed is as good as it was.
	there.Expired = time.Time{}
	if wrong = cmp.Or(wrong, refused(there)); wrong == nil {
		key.Content = key.Have.Content
		k.Managed.Judge(&key)
	}
	return key, wrong, nil
}

// sayExpired warns of a key on the disk that has expired.
func (k Keys) sayExpired(f *engine.Finding, key managed.File) {
	there, wrong := k.oneKey(key.Have.Content)
	if wrong == nil && !there.Expired.IsZero() {
		f.Warnings = append(f.Warnings, fmt.Sprintf("%s: %s; rpm still believes it", KeyPath, there.Refused()))
	}
}

func refused(k openpgp.Key) error {
	if why := k.Refused(); why != "" {
		return errors.New(why)
	}
	return nil
}

func (k Keys) checkKeyFile(f *engine.Finding) error {
	key, wrong, err := k.KeyFile()
	if err != nil || wrong == nil {
		k.sayExpired(f, key)
		k.Managed.SayFound(f, key)
		if err == nil && key.Differs() { // in mode, owner or label: somebody could exchange it
			f.Changes = append(f.Changes, managed.SiteChange(key))
		}
		return err
	}
	if err := k.Managed.SayForeign(f, key, wrong.Error()); err != nil {
		return err
	}
	if err := k.Managed.SayDrift(f, key); err != nil || key.Kept {
		return err
	}
	from := state.Absent
	if key.Have.Content != nil {
		from = wrong.Error()
	}
	f.Changes = append(f.Changes, engine.Change{Object: "key " + KeyPath, From: from, To: k.Config.EPEL.Fingerprint})
	return nil
}

// checkKey requires that the key file holds exactly the key that the
// configuration vouches for, and that it may be trusted now.
func (k Keys) checkKey(content []byte) error {
	one, err := k.oneKey(content)
	return cmp.Or(err, refused(one))
}

func (k Keys) oneKey(content []byte) (openpgp.Key, error) {
	keys, err := openpgp.ParseKeys(content)
	if err != nil {
		return openpgp.Key{}, err
	}
	if len(keys) != 1 || keys[0].Fingerprint != k.Config.EPEL.Fingerprint {
		var have []string
		for _, k := range keys {
			have = append(have, k.Fingerprint)
		}
		return openpgp.Key{}, fmt.Errorf("it holds the key %s and not %s: get the right key, or set epel.fingerprint "+
			"if it is this one that you trust",
			strings.Join(have, ", "), k.Config.EPEL.Fingerprint)
	}
	return keys[0], nil
}

// writeRepositoryFiles writes the key first: a repository without its key would
// make every yum on the host fail.
func (rs Repositories) writeRepositoryFiles(ctx context.Context) error {
	if rs.stays() {
		if err := rs.Keys().bringKey(ctx); err != nil {
			return err
		}
	}
	files, err := rs.RepositoryFiles()
	if err != nil {
		return err
	}
	if err := rs.Managed.Check(&engine.Finding{}, files); err != nil { // somebody's, since the survey
		return err
	}
	for _, file := range files {
		if !file.Differs() {
			continue
		}
		if err := rs.Managed.Put(file); err != nil {
			return err
		}
	}
	return nil
}

// bringKey puts the configured key at its place, once its fingerprint is the
// one that the configuration names.
func (k Keys) bringKey(ctx context.Context) error {
	have, wrong, err := k.KeyFile()
	if err == nil && wrong == nil && have.Differs() {
		return k.Managed.Put(have)
	}
	if err != nil || wrong == nil || have.Kept {
		return err
	}
	// somebody's, since the survey
	if err := k.Managed.SayForeign(&engine.Finding{}, have, wrong.Error()); err != nil {
		return err
	}
	if have.Content, err = k.key(ctx); err != nil {
		return err
	}
	return k.Managed.Put(have)
}

// key is the configured key, or the one that the agent has, once its fingerprint is the one that the configuration
// names.
func (k Keys) key(ctx context.Context) ([]byte, error) {
	if k.builtInKey() {
		return epelKey, k.checkKey(epelKey)
	}
	key, err := k.fetch(ctx, k.Config.EPEL.GPGKey, keyLimit)
	if err != nil {
		return nil, err
	}
	if err := k.checkKey(key); err != nil {
		return nil, fmt.Errorf("key %s: %w", secret.Hide(k.Config.EPEL.GPGKey), err)
	}
	return key, nil
}
