// Package managed is for the files of the agent's on a host: what should be there, what is there, whose that is, and
// how the one becomes the other. Somebody else's file is never written over unless that was agreed to.
package managed
