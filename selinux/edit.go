package selinux

import (
	"fmt"

	"wsprovision/selinux/policydb"
)

// Edit is one change of the store, which Commit makes one line of `semanage import`. Edits compare with ==.
type Edit struct {
	action action
	name   string // of a boolean
	on     bool
	port   policydb.Port
	files  Context
}

type action int

// In the order in which Commit writes them. Newer semanage (3.5) puts deletions first, and booleans before ports is
// what semanage 2.5, which does not re-link the policy for a boolean alone, gets right.
const (
	deleteBoolean action = iota
	deletePort
	deleteContext
	setBoolean
	addPort
	modifyPort
	addContext
)

// SetBoolean records a value for the next boot; see Commit for what happens to the running one.
func SetBoolean(name string, on bool) Edit { return Edit{action: setBoolean, name: name, on: on} }

// DeleteBoolean drops the local record, so that the policy's default holds again. No semanage has a command for it but
// the one that drops every boolean's record (`boolean -D`); Commit writes that and records the others again. The
// running value stays.
func DeleteBoolean(name string) Edit { return Edit{action: deleteBoolean, name: name} }

// AddPort makes a local record where none of exactly this port exists, in the policy or locally.
func AddPort(p policydb.Port) Edit { return Edit{action: addPort, port: p} }

// ModifyPort makes or changes the local record of a port, where one of exactly this port exists, in the policy or
// locally.
func ModifyPort(p policydb.Port) Edit { return Edit{action: modifyPort, port: p} }

// DeletePort drops a local record, of exactly this port.
func DeletePort(p policydb.Port) Edit {
	p.Type = ""
	return Edit{action: deletePort, port: p}
}

// AddContext makes a local record of file contexts, where none of exactly this specification exists. Files that are
// there keep their labels.
func AddContext(c Context) Edit { return Edit{action: addContext, files: c} }

// DeleteContext drops a local record of file contexts.
func DeleteContext(c Context) Edit {
	c.Type = ""
	return Edit{action: deleteContext, files: c}
}

// words is the line's words. Options stand before names, and every line has its own -N: semanage 2.5 heeds the last
// line's, not its own.
func (e Edit) words(load bool) []string {
	w := []string{"boolean", "-m"}
	switch e.action {
	case addPort:
		w = []string{"port", "-a"}
	case modifyPort:
		w = []string{"port", "-m"}
	case deletePort:
		w = []string{"port", "-d"}
	case deleteBoolean:
		w = []string{"boolean", "-D"}
	case addContext:
		w = []string{"fcontext", "-a"}
	case deleteContext:
		w = []string{"fcontext", "-d"}
	}
	if !load {
		w = append(w, "-N")
	}
	switch e.action {
	case setBoolean:
		return append(w, "--"+string(setting(e.on)), e.name)
	case deleteBoolean:
		return w
	case deletePort:
		return append(w, "-p", e.port.Proto, e.port.Numbers())
	case addContext:
		return append(w, "-t", e.files.Type, e.files.Spec)
	case deleteContext:
		return append(w, e.files.Spec)
	}
	return append(w, "-t", e.port.Type, "-p", e.port.Proto, e.port.Numbers())
}

// check refuses whatever would not be one word, or the wrong one, of the line that semanage splits at white space and
// quotes.
func (e Edit) check() error {
	switch e.action {
	case setBoolean, deleteBoolean:
		if !isBooleanName(e.name) {
			return fmt.Errorf("%q is no boolean's name", e.name)
		}
		return nil
	case deleteContext:
		return e.files.check()
	case addContext:
		if !policydb.IsTypeName(e.files.Type) {
			return fmt.Errorf("file context %q: %q is no type's name", e.files.Spec, e.files.Type)
		}
		return e.files.check()
	case addPort, modifyPort:
		if !policydb.IsTypeName(e.port.Type) {
			return fmt.Errorf("port %s: %q is no type's name", e.port, e.port.Type)
		}
	}
	// semanage takes port 0, with which nobody can mean anything.
	if p := e.port; (p.Proto != "tcp" && p.Proto != "udp") || p.Low < 1 || p.Low > p.High || p.High > 65535 {
		return fmt.Errorf("port %s: not a tcp or udp port", p)
	}
	return nil
}
