// Package show is for reports as people read them, and as JSON: of a run, of a verification, of where a host stands.
package show
