package selinux

import "strings"

// SameType reports whether two names are those of one type. A policy may know a type by aliases (typealias), while the
// kernel and semanage's records have its own name. Where no policy runs that could be asked, only a name itself is the
// same.
func (h Host) SameType(a, b string) bool {
	if a == b {
		return true
	}
	own, known := h.ownName(a)
	other, knows := h.ownName(b)
	return known && knows && own == other
}

// ownName is a type's own name. What is written to selinuxfs's file "context" comes back as the policy has it
// (security_canonicalize_context(3)).
func (h Host) ownName(typ string) (string, bool) {
	dir, err := h.system().kernel()
	if err != nil {
		return "", false
	}
	context, err := h.Kernel().objectContext(dir, typ)
	if err != nil {
		return "", false
	}
	answer, err := h.Kernel().transact(h.system().path(dir, "context"), context)
	if err != nil {
		return "", false
	}
	own, err := contextType(strings.TrimRight(answer, "\x00"))
	return own, err == nil
}
