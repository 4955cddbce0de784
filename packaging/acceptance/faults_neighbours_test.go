//go:build acceptance

package acceptance

// neighbour is a host that nginx was installed on, and where somebody else's file is in the way before we come.
func neighbour(name, file, content, says string) fault {
	return fault{name: name, from: labelled, flags: siteFlags, make: "printf '" + content + "' >" + file,
		unmake: "rm " + file,
		status: 1, step: "validate", says: []string{says}, untouched: true}
}

// neighbourFaults are named as the reason, not touched, and not joined.
var neighbourFaults = []fault{
	neighbour("broken file", "/etc/nginx/conf.d/broken.conf", `server {\n    nonsense on;\n}\n`,
		"/etc/nginx/conf.d/broken.conf:2"),
}
