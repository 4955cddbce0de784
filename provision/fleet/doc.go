// Package fleet is for whoever runs many hosts: it puts a run off so that not all hosts ask a mirror at once, and tells
// others what became of it: the journal, a collector of metrics, a receiver of reports. Nothing in it fails a run.
package fleet
