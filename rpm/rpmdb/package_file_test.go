package rpmdb

import (
	"encoding/binary"
	"strings"
	"testing"

	"wsprovision/rpm/rpmtest"
)

// entry is one of a header's: a tag, its type and its value.
type entry struct {
	tag, kind uint32
	value     string
}

func headerOf(entries ...entry) []byte {
	var index, store []byte
	for _, e := range entries {
		for _, n := range []uint32{e.tag, e.kind, uint32(len(store)), 1} {
			index = binary.BigEndian.AppendUint32(index, n)
		}
		store = append(store, e.value...)
	}
	h := append([]byte(nil), headerMagic...)
	for _, n := range []uint32{0, uint32(len(entries)), uint32(len(store))} {
		h = binary.BigEndian.AppendUint32(h, n)
	}
	return append(append(h, index...), store...)
}

// fileOf is a package file with a header of signatures whose size is no multiple of eight.
func fileOf(entries ...entry) []byte {
	file := append(append([]byte(nil), leadMagic...), make([]byte, leadSize-len(leadMagic))...)
	file = append(file, headerOf(entry{1000, typeInt32, "\x00\x00\x00\x01"}, entry{1004, 7, "xyz"})...)
	for len(file)%8 != 0 {
		file = append(file, 0)
	}
	return append(file, headerOf(entries...)...)
}

func TestReadPackage(t *testing.T) {
	named := []entry{{tagName, typeString, "epel-release\x00"}, {tagVersion, typeString, "7\x00"},
		{tagRelease, typeString, "14\x00"}, {tagArch, typeString, "noarch\x00"}}
	with := func(more ...entry) []byte { return fileOf(append(append([]entry{}, named...), more...)...) }
	source := with()
	source[7] = 1
	huge := with()
	copy(huge[len(huge)-len(headerOf(named...))+8:], "\xff\xff\xff\xff\xff\xff\xff\xff")
	for name, tt := range map[string]struct {
		file          []byte
		want, wantErr string
	}{
		"a package": {with(), "epel-release-7-14.noarch", ""},
		"with an epoch": {with(entry{tagEpoch, typeInt32, "\x00\x00\x00\x02"}), "epel-release-2:7-14.noarch",
			""},
		"what follows":     {append(with(), "payload"...), "epel-release-7-14.noarch", ""},
		"a name twice":     {with(entry{tagName, typeString, "other\x00"}), "", "comes twice"},
		"a source package": {source, "", "source package"},
		"by its tag":       {with(entry{tagSourcePackage, typeInt32, "\x00\x00\x00\x01"}), "", "source package"},
		"no release":       {fileOf(named[0], named[1], named[3]), "", "does not name it"},
		"a name that is a list": {fileOf(entry{tagName, 8, "epel-release\x00"}, named[1], named[2], named[3]), "",
			"does not name it"},
		"a name without an end": {fileOf(named[1], named[2], named[3], entry{tagName, typeString, "epel-release"}), "",
			"does not end"},
		"a name that is a path": {fileOf(entry{tagName, typeString, "../x\x00"}, named[1], named[2], named[3]), "",
			"not a package name"},
		"more entries than are": {huge, "", "cut short"},
		"no header":             {with()[:leadSize], "", "a header is missing"},
		"nothing":               {nil, "", "begins otherwise"},
	} {
		p, err := ReadPackage(tt.file)
		if !rpmtest.Matches(err, tt.wantErr) || err == nil && p.String() != tt.want {
			t.Errorf("%s: %v, %v, want %s, %q", name, p, err, tt.want, tt.wantErr)
		}
	}
}

func FuzzReadPackage(f *testing.F) {
	f.Add(fileOf(entry{tagName, typeString, "a\x00"}, entry{tagVersion, typeString, "7\x00"},
		entry{tagRelease, typeString, "1\x00"}, entry{tagArch, typeString, "noarch\x00"}))
	f.Fuzz(func(t *testing.T, content []byte) {
		p, err := ReadPackage(content)
		if err == nil && (CheckName(p.Name) != nil || p.Version == "" || strings.Contains(p.String(), "\x00")) {
			t.Errorf("%+v", p)
		}
	})
}
