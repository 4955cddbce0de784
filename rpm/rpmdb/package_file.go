package rpmdb

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"strings"

	"wsprovision/rpm/said"
)

// The parts of a package file (rpm 4.11 lib/rpmlead.c, lib/header.c) and the tags that name it (rpmtag.h).
const (
	leadSize    = 96
	entrySize   = 16
	mostEntries = 0xffff // lib/header_internal.h hdrchkTags

	tagName, tagVersion, tagRelease, tagEpoch = 1000, 1001, 1002, 1003
	tagArch, tagSourcePackage                 = 1022, 1106

	typeInt32, typeString = 4, 6
)

var (
	leadMagic   = []byte{0xed, 0xab, 0xee, 0xdb}
	headerMagic = []byte{0x8e, 0xad, 0xe8, 0x01}
)

// ReadPackage is what the header of a package file's content says that it is. Nothing is verified: it is for a plan,
// and for refusing early what is not wanted at all. Before the file is installed rpm reads it, and its signature, by
// itself.
func ReadPackage(content []byte) (Package, error) {
	p, err := readPackage(content)
	if err != nil {
		return Package{}, fmt.Errorf("not an rpm package: %w", err)
	}
	if err := CheckName(p.Name); err != nil {
		return Package{}, err
	}
	return p, nil
}

func readPackage(content []byte) (Package, error) {
	if len(content) < leadSize || !bytes.HasPrefix(content, leadMagic) {
		return Package{}, errors.New("it begins otherwise")
	}
	_, rest, err := header(content[leadSize:]) // of signatures
	if err != nil {
		return Package{}, err
	}
	behind := len(content) - len(rest)
	if pad := -behind & 7; pad <= len(rest) {
		rest = rest[pad:]
	}
	tags, _, err := header(rest)
	if err != nil {
		return Package{}, err
	}
	if tags[tagSourcePackage] != "" || content[7] != 0 {
		return Package{}, errors.New("it is a source package")
	}
	p := Package{Name: tags[tagName], Epoch: tags[tagEpoch], Version: tags[tagVersion], Release: tags[tagRelease],
		Arch: tags[tagArch]}
	if p.Name == "" || p.Version == "" || p.Release == "" || p.Arch == "" {
		return Package{}, errors.New("its header does not name it")
	}
	return p, nil
}

// header takes one header off data: magic, four bytes for later, the number of entries, the size of what they point
// into. Tags that come twice, or whose value is not where it should be, are an error.
func header(data []byte) (tags map[uint32]string, rest []byte, err error) {
	if len(data) < entrySize || !bytes.HasPrefix(data, headerMagic) {
		return nil, nil, errors.New("a header is missing")
	}
	entries, size := uint64(binary.BigEndian.Uint32(data[8:])), uint64(binary.BigEndian.Uint32(data[12:]))
	data = data[entrySize:]
	if entries > mostEntries || size > math.MaxInt32 || entries*entrySize+size > uint64(len(data)) {
		return nil, nil, errors.New("a header is cut short")
	}
	index, store := data[:entries*entrySize], data[entries*entrySize:entries*entrySize+size]
	tags = map[uint32]string{}
	for ; len(index) > 0; index = index[entrySize:] {
		tag := binary.BigEndian.Uint32(index)
		value, err := headerValue(index[:entrySize], store)
		if err != nil {
			return nil, nil, err
		}
		if _, twice := tags[tag]; twice {
			return nil, nil, fmt.Errorf("tag %d comes twice", tag)
		}
		tags[tag] = value
	}
	return tags, data[entries*entrySize+size:], nil
}

// headerValue is one entry's string or first number; values of other types are "", which no tag here is.
func headerValue(entry, store []byte) (string, error) {
	kind, offset, count := binary.BigEndian.Uint32(entry[4:]), uint64(binary.BigEndian.Uint32(entry[8:])),
		binary.BigEndian.Uint32(entry[12:])
	if offset > uint64(len(store)) {
		return "", errors.New("a value lies outside of its header")
	}
	value := store[offset:]
	switch {
	case kind == typeString:
		text, _, ended := bytes.Cut(value, []byte{0})
		if !ended {
			return "", errors.New("a value does not end")
		}
		return string(text), nil
	case kind == typeInt32 && count > 0 && len(value) >= 4:
		return fmt.Sprint(binary.BigEndian.Uint32(value)), nil
	}
	return "", nil
}

// Owned asks rpm whether an installed package brought the file.
func (d DB) Owned(ctx context.Context, path string) (bool, error) {
	stdout, stderr, status, err := d.Read(ctx, "", "rpm", "-qf", "--qf", `%{NAME}\n`, path)
	if err != nil {
		return false, fmt.Errorf("rpm: %w", err)
	}
	if status == 0 && strings.TrimSpace(stdout) != "" {
		return true, databaseError(stderr)
	}
	if strings.TrimSpace(stdout) == "file "+path+" is not owned by any package" {
		return false, databaseError(stderr)
	}
	return false, said.Error("rpm", status, stdout, stderr)
}

// PackageFile is the package in an .rpm file. Its stderr may hold a NOKEY warning, which yum judges and CheckSignature.
func (d DB) PackageFile(ctx context.Context, file string) (Package, error) {
	stdout, stderr, status, err := d.Read(ctx, "", "rpm", "-qp", "--qf", queryFormat, file)
	if err != nil {
		return Package{}, fmt.Errorf("read package file %s: rpm: %w", file, err)
	}
	if status != 0 {
		return Package{}, fmt.Errorf("read package file %s: %w", file, said.Error("rpm", status, stdout, stderr))
	}
	all := said.Lines(stdout)
	if len(all) != 1 {
		return Package{}, fmt.Errorf("read package file %s: rpm: not understood: %s", file, said.Quote(stdout))
	}
	p, err := ParsePackage(all[0])
	if err == nil {
		err = CheckName(p.Name)
	}
	if err != nil {
		return Package{}, fmt.Errorf("read package file %s: rpm: %w", file, err)
	}
	return p, nil
}
