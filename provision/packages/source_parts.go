package packages

// Keys are the keys that the repository's packages are signed with.
type Keys struct{ *Source }

// Keys finds, checks and lays down the keys that the repository's packages are signed with.
func (s *Source) Keys() Keys { return Keys{s} }

// OneRun is a repository that yum is given for one run.
type OneRun struct{ *Source }

// OneRun looks for EPEL's mirrors and gives yum a repository for one run.
func (s *Source) OneRun() OneRun { return OneRun{s} }

// Repositories are the files of repositories that stay.
type Repositories struct{ *Source }

// Repositories writes the files of repositories that stay.
func (s *Source) Repositories() Repositories { return Repositories{s} }
