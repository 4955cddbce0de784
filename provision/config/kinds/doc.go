// Package kinds is for what a value of the configuration may be: how it is read from its text, what bounds it has, how
// it is written again, and what the manual says of all this. A value that it lets through holds no character that
// nginx's, yum's or a shell's syntax would take for more than a name.
package kinds
