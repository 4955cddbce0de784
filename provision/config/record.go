package config

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"wsprovision/provision/config/reading"
	"wsprovision/provision/config/sitekeys"
	"wsprovision/provision/plaintext"
)

// Record is a file of the directory of sites as apply leaves it: what its options say is asked for by the next command
// without them too.
type Record struct {
	Site    string
	Path    string
	Content []byte
	Differs []Difference // what of the site is another by now
	// Deferred says that another run was to write it, which may have done so. An edit made since then stays.
	Deferred bool
}

// kept is a record in the file of deferred work.
type kept struct {
	Site    string `yaml:"site"`
	Path    string `yaml:"path"`
	Content string `yaml:"content"`
}

// MarshalYAML is for the file of deferred work.
func (r Record) MarshalYAML() (any, error) { return kept{r.Site, r.Path, string(r.Content)}, nil }

// UnmarshalYAML reads it there.
func (r *Record) UnmarshalYAML(n *yaml.Node) error {
	var k kept
	if err := n.Decode(&k); err != nil {
		return err
	}
	*r = Record{Site: k.Site, Path: k.Path, Content: []byte(k.Content), Deferred: true}
	return nil
}

// Difference is one of a site's values: Key is as a person calls it, "path" or "backend of /ws/".
type Difference struct{ Key, From, To string }

const recordHead = "# Written by wsprovision apply from its options, and read beside wsprovision.yaml. It may be " +
	"edited.\n" +
	"# To take the site away, remove this file and run wsprovision apply.\n"

// ofTheRun are keys that say how a run goes about it, and nothing of the host.
func ofTheRun(path string) bool {
	return path == "on_drift" || path == "splay" || parent(path) == "wait"
}

// recorder puts together what is to be written down.
type recorder struct {
	path    string // of the site's own file
	name    string
	file    contents
	options layer // what was typed, over the environment
	sites   []Site
	at      reading.Origins
}

// record is nil where nothing was asked for by options. What is not written down, because it stands elsewhere, holds
// for this run only, and is told.
func (r recorder) record() (*Record, []string, error) {
	asked := slices.ContainsFunc(settings(), func(s setting) bool {
		return r.options.at.Has(s.Path) && !ofTheRun(s.Path)
	})
	i := slices.IndexFunc(r.sites, func(s Site) bool { return s.Name == r.name })
	key := fmt.Sprintf("sites[%d]", i)
	switch {
	case !asked:
		return nil, nil, nil
	case i < 0:
		return nil, []string{"the options hold for this run only: they belong to no site of this name: " + r.name}, nil
	case i != r.file.slot && r.at[key].Source != r.path:
		return nil, []string{fmt.Sprintf("the options hold for this run only: the site %s stands in %s", r.name,
			r.at[key].Source)}, nil
	}
	document, err := r.document()
	if err != nil {
		return nil, nil, err
	}
	r.writeSite(document, i)
	elsewhere := r.writeHost(document)
	content, err := r.content(document)
	if err != nil {
		return nil, nil, err
	}
	record := &Record{Site: r.name, Path: r.path, Content: content}
	if i != r.file.slot {
		record.Differs = differences(r.file.sites[i], r.sites[i])
	}
	return record, elsewhere, nil
}

// document is the file that is there, or an empty one.
func (r recorder) document() (*yaml.Node, error) {
	document := &yaml.Node{Kind: yaml.DocumentNode, Content: []*yaml.Node{{Kind: yaml.MappingNode}}}
	if old := r.file.read[r.path]; len(bytes.TrimSpace(old)) > 0 {
		if err := yaml.Unmarshal(old, document); err != nil {
			return nil, fmt.Errorf("read %s again: %w", r.path, err)
		}
	}
	return document, nil
}

// writeSite sets the keys that options name; of a new site, or location, those that it needs too.
func (r recorder) writeSite(document *yaml.Node, i int) {
	fresh := i == r.file.slot
	from, to := fmt.Sprintf("sites[%d]", i), fmt.Sprintf("sites[%d]", i-r.file.first[r.path])
	if fresh {
		to = fmt.Sprintf("sites[%d]", r.file.count[r.path])
	}
	effective := reading.Write(r.sites[i], sitekeys.Fields())
	set := func(key string) { setAt(document.Content[0], stepsOf(to+key), valueAt(&effective, stepsOf(key))) }
	if fresh {
		set(".name")
		set(".server_name")
	}
	r.writeOptions(from, false, set)
	for j, l := range r.sites[i].Locations {
		key := fmt.Sprintf(".locations[%d]", j)
		added := fresh || j >= len(r.file.sites[i].Locations)
		if added {
			set(key + ".path")
			set(key + ".backend")
		}
		if added && !l.WebSocket {
			set(key + ".websocket")
		}
	}
	r.writeOptions(from, true, set)
}

// writeOptions sets what options name: in the locations of a site, or beside them.
func (r recorder) writeOptions(site string, locations bool, set func(key string)) {
	for _, key := range slices.Sorted(maps.Keys(r.at)) {
		rest, ofSite := strings.CutPrefix(key, site)
		w := r.at[key]
		if ofSite && rest != "" && w.Line == 0 && w.Source != "" && strings.HasPrefix(rest, ".locations") == locations {
			set(rest)
		}
	}
}

// writeHost sets the keys of the host that options name, unless another file has them.
func (r recorder) writeHost(document *yaml.Node) (elsewhere []string) {
	for _, s := range hostSettings() {
		value, given := r.options.values[s.Path]
		if !given || ofTheRun(s.Path) {
			continue
		}
		there, written := r.file.at[s.Path]
		if written && there.Source != r.path {
			if !reflect.DeepEqual(r.file.values[s.Path], value) {
				elsewhere = append(elsewhere, fmt.Sprintf("%s holds for this run only: %s (line %d) says otherwise",
					s.Path, there.Source, there.Line))
			}
			continue
		}
		node := &yaml.Node{}
		if d, ok := value.(time.Duration); ok {
			value = plaintext.Duration(d)
		}
		if err := node.Encode(value); err == nil {
			setAt(document.Content[0], stepsOf(s.Path), node)
		}
	}
	return elsewhere
}

// content is the file's, and as it was where it says the same. That Load takes it is seen now and not by the next run.
func (r recorder) content(document *yaml.Node) ([]byte, error) {
	var b bytes.Buffer
	old := r.file.read[r.path]
	if len(bytes.TrimSpace(old)) == 0 {
		b.WriteString(recordHead)
	}
	encoder := yaml.NewEncoder(&b)
	encoder.SetIndent(2)
	if err := encoder.Encode(document); err != nil {
		return nil, fmt.Errorf("write %s: %w", r.path, err)
	}
	p := &reading.Problems{}
	now := readFile(r.path, b.Bytes(), false, 0, p)
	if err := p.Err(); err != nil {
		return nil, err
	}
	before := readFile(r.path, old, false, 0, &reading.Problems{})
	if old != nil && reflect.DeepEqual(now.sites, before.sites) && reflect.DeepEqual(now.values, before.values) {
		return old, nil
	}
	return b.Bytes(), nil
}

// stepsOf are the steps of a key: names, and numbers of elements.
func stepsOf(key string) []string {
	return strings.FieldsFunc(key, func(r rune) bool { return strings.ContainsRune(".[]", r) })
}

// valueAt is the value at a key, nil for none. A list of one is that one.
func valueAt(n *yaml.Node, key []string) *yaml.Node {
	for _, step := range key {
		next := (*yaml.Node)(nil)
		if i, err := strconv.Atoi(step); err == nil && n.Kind == yaml.SequenceNode && i < len(n.Content) {
			next = n.Content[i]
		}
		for i := 0; n.Kind == yaml.MappingNode && i+1 < len(n.Content); i += 2 {
			if n.Content[i].Value == step {
				next = n.Content[i+1]
			}
		}
		if n = next; n == nil {
			return nil
		}
	}
	if n.Kind == yaml.SequenceNode && len(n.Content) == 1 {
		return n.Content[0]
	}
	return n
}

// setAt sets the value at a key, and makes what is missing on the way. Comments stay where they are.
func setAt(n *yaml.Node, key []string, value *yaml.Node) {
	if value == nil {
		return
	}
	if len(key) == 0 {
		head, line, foot := n.HeadComment, n.LineComment, n.FootComment
		*n = *value
		n.HeadComment, n.LineComment, n.FootComment = head, line, foot
		return
	}
	if i, err := strconv.Atoi(key[0]); err == nil {
		if n.Kind != yaml.SequenceNode {
			*n = yaml.Node{Kind: yaml.SequenceNode}
		}
		for len(n.Content) <= i {
			n.Content = append(n.Content, &yaml.Node{Kind: yaml.MappingNode})
		}
		setAt(n.Content[i], key[1:], value)
		return
	}
	if n.Kind != yaml.MappingNode {
		*n = yaml.Node{Kind: yaml.MappingNode, HeadComment: n.HeadComment}
	}
	setAt(member(n, key[0]), key[1:], value)
}

// member is the value under a name of a mapping, which is made where there is none.
func member(n *yaml.Node, name string) *yaml.Node {
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == name {
			return n.Content[i+1]
		}
	}
	key, value := &yaml.Node{}, &yaml.Node{}
	key.SetString(name)
	n.Content = append(n.Content, key, value)
	return value
}

// differences says what of a site is another by now.
func differences(before, now Site) (all []Difference) {
	say := func(key, from, to string) {
		if from != to {
			all = append(all, Difference{key, cmp.Or(from, "none"), to})
		}
	}
	say("server_name", strings.Join(before.ServerNames, ", "), strings.Join(now.ServerNames, ", "))
	say("listen", fmt.Sprint(before.Listen), fmt.Sprint(now.Listen))
	for j, l := range now.Locations {
		var was Location
		if j < len(before.Locations) {
			was = before.Locations[j]
		}
		say("path", was.Path, l.Path)
		if was.Path != "" {
			say("backend of "+l.Path, was.BackendFlag(), l.BackendFlag())
		}
	}
	return all
}
