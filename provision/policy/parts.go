package policy

// Sockets are the labels of the directories of backends' unix sockets.
type Sockets struct{ *Policy }

// Sockets labels the directories of backends' unix sockets.
func (p *Policy) Sockets() Sockets { return Sockets{p} }

// Ports are the labels of TCP ports.
type Ports struct{ *Policy }

// Ports labels TCP ports.
func (p *Policy) Ports() Ports { return Ports{p} }
