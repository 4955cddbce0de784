// Package ending is for the end of a run that a signal brings about: what may go on until it is done, and the report of
// what is known by then.
package ending
