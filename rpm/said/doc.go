// Package said is for what rpm and yum said: their lines, cut to a length that a person reads.
package said
