package managed

import (
	"fmt"
	"slices"

	"wsprovision/provision/state"
)

// Consent is an agreement to take over what was at a place: "file PATH sha256:…"
// or "port tcp/3000 postgresql_port_t". It is to that alone.
func Consent(kind state.Kind, name, now string) string {
	return fmt.Sprintf("%s %s %s", kind, name, now)
}

func (m *Files) Consented(kind state.Kind, name, now string) bool {
	return m.Adopt || slices.Contains(m.Config.Adopt, Consent(kind, name, now))
}
