package rpm

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// transactionFormat: all that one transaction installed or upgraded has its INSTALLTID (rpm 4.0 and later).
const transactionFormat = `%{INSTALLTID}\t%{NAME}\n`

// BroughtWith are the names of all packages that came, or were upgraded, in the transactions that brought the named ones, and the
// named ones themselves; sorted.
func (h Host) BroughtWith(ctx context.Context, names ...string) ([]string, error) {
	stdout, err := h.queryAll(ctx, transactionFormat)
	if err != nil {
		return nil, fmt.Errorf("list transactions: %w", err)
	}
	brought, err := parseTransactions(stdout, names)
	if err != nil {
		return nil, fmt.Errorf("list transactions: rpm: %w", err)
	}
	return brought, nil
}

func parseTransactions(stdout string, names []string) ([]string, error) {
	packages := map[string][]string{} // by transaction
	for _, line := range lines(stdout) {
		transaction, name, ok := strings.Cut(line, "\t")
		if !ok || name != pubkey && checkName(name) != nil {
			return nil, fmt.Errorf("not understood: %s", quote(line))
		}
		packages[transaction] = append(packages[transaction], name)
	}
	var brought []string
	for _, all := range packages {
		if slices.ContainsFunc(all, func(name string) bool { return slices.Contains(names, name) }) {
			brought = append(brought, slices.DeleteFunc(all, func(name string) bool { return name == pubkey })...)
		}
	}
	slices.Sort(brought)
	return slices.Compact(brought), nil
}
