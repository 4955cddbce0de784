package nginx

// Complaints are the emerg, alert and crit lines that came since the mark and that speak of nginx itself, not of a
// client or a backend.
func (m LogMark) Complaints() ([]LogLine, error) { return m.follow().read() }
