// Package route tells how nginx takes a request through a configuration, other people's included: which server and
// location it comes to, what rewrites it, what may answer it before a backend does, and what a backend is asked with.
//
// It never guesses. Where a request depends on something that only nginx knows, the route ends there, with file and
// line. It holds for nginx 1.20 to 1.22, and its rules are those of their sources: the functions are named where they
// are used. It looks at files only where nginx would (try_files, index, static files), and runs nothing.
package route
