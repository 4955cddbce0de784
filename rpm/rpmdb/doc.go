// Package rpmdb asks the rpm database: what is installed, which keys rpm trusts, what a package owns, and what it has
// lost. It changes nothing.
package rpmdb
