package provision

// Seam is the one place through which the agent changes the host. In
// production it only runs what it is given; tests hang a hook on it that stops
// the run at any of its points, and so know every one of them.
type Seam struct {
	// Hook is called with "before WHAT" and "after WHAT" around each mutation.
	// An error from "before" keeps the mutation from happening. Nil in
	// production.
	Hook func(point string) error
}

// Do makes the mutation that what describes.
func (s *Seam) Do(what string, do func() error) error {
	if s.Hook == nil {
		return do()
	}
	if err := s.Hook("before " + what); err != nil {
		return err
	}
	err := do()
	if hookErr := s.Hook("after " + what); hookErr != nil {
		return hookErr
	}
	return err
}
