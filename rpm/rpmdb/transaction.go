package rpmdb

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"wsprovision/rpm/said"
)

// transactionFormat: all that one transaction installed or upgraded has its INSTALLTID, which is the second when it
// began (rpm 4.0 and later; lib/rpmts.c rpmtsCreate).
const transactionFormat = `%{INSTALLTID}\t%{NAME}\n`

// BroughtWith are the names of all packages that came, or were upgraded, in the transactions that brought the named
// ones, and the named ones themselves; sorted. Transactions that began before since do not count; the zero time is
// before all. A package with an odd name, or without a time, is in none of them.
func (d DB) BroughtWith(ctx context.Context, since time.Time, names ...string) ([]string, error) {
	stdout, err := d.queryAll(ctx, transactionFormat)
	if err != nil {
		return nil, fmt.Errorf("list transactions: %w", err)
	}
	return parseTransactions(stdout, since, names), nil
}

func parseTransactions(stdout string, since time.Time, names []string) []string {
	packages := map[string][]string{} // by transaction
	for _, line := range said.Lines(stdout) {
		transaction, name, ok := strings.Cut(line, "\t")
		if !ok || name == Pubkey || CheckName(name) != nil {
			continue
		}
		began, err := strconv.ParseInt(transaction, 10, 64)
		if err == nil && !time.Unix(began, 0).Before(since.Truncate(time.Second)) {
			packages[transaction] = append(packages[transaction], name)
		}
	}
	var brought []string
	for _, all := range packages {
		if slices.ContainsFunc(all, func(name string) bool { return slices.Contains(names, name) }) {
			brought = append(brought, all...)
		}
	}
	slices.Sort(brought)
	return slices.Compact(brought)
}
