// Package state is what outlives a run: the ledger of what the agent changed, the history of its runs, and the note of
// a reload that is owed. What it holds is written before the change that it describes, and read back after it.
package state
