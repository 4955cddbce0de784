// Command wsprovision provisions nginx as a WebSocket proxy on a RHEL 7 host.
package main

import "os"

func main() {
	os.Exit(run(os.Args[1:], os.Environ(), os.Stdout, os.Stderr))
}
