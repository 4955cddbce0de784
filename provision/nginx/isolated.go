package nginx

// Isolated does the work on a thread of its own, whose mounts nobody else sees and which end with it. Programs that the
// work starts from its own goroutine see them too. It is what Test stands on; nothing in it is nginx's.
func Isolated(work func() error) error { return isolated(work) }
