// Package reading is for a file of YAML that becomes values: each key's place is kept, and everything that is wrong is
// told at once, with the key, the line, and what would be right.
package reading
