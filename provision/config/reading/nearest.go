package reading

import "strings"

// Nearest is the candidate that word was most likely meant to be, or "".
func Nearest(word string, candidates []string) string {
	best, found := 1+len(word)/3, ""
	if len(word) > 40 {
		return ""
	}
	for _, c := range candidates {
		if len(word) >= 4 && strings.HasPrefix(c, fold(word)) {
			return c
		}
		if d := distance(fold(word), fold(c)); d < best || d == best && found == "" {
			best, found = d, c
		}
	}
	return found
}

// DidYouMean is a clause for the end of a message.
func DidYouMean(word string, candidates []string) string {
	if near := Nearest(word, candidates); near != "" {
		return ": did you mean " + near + "?"
	}
	return ""
}

// fold removes what people confuse most: case, and - for _.
func fold(s string) string {
	b := []byte(s)
	for i, c := range b {
		switch {
		case 'A' <= c && c <= 'Z':
			b[i] = c + 'a' - 'A'
		case c == '-':
			b[i] = '_'
		}
	}
	return string(b)
}

// distance is Levenshtein's, in bytes.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			diagonal, row[j+1] = row[j+1], min(row[j+1]+1, row[j]+1, diagonal+cost)
		}
	}
	return row[len(b)]
}
