package policydb

// term is one of a condition: a boolean, or what is done with those before it.
type term struct {
	is      operator
	boolean uint32
}

type operator uint32

// libsepol, conditional.h: COND_BOOL to COND_NEQ.
const (
	operand operator = iota + 1
	not
	or
	and
	xor
	equal
	unequal
)

// evaluate is what the condition comes to. One that is not well formed is false, as in the kernel, which then heeds
// neither list of its rules; libsepol writes none.
func evaluate(when []term, value func(uint32) bool) bool {
	var stack []bool
	for _, t := range when {
		n := len(stack)
		switch {
		case t.is == operand:
			stack = append(stack, value(t.boolean))
			continue
		case t.is == not && n >= 1:
			stack[n-1] = !stack[n-1]
			continue
		case n < 2:
			return false
		}
		a, b := stack[n-2], stack[n-1]
		stack = append(stack[:n-2], combine(t.is, a, b))
	}
	return len(stack) == 1 && stack[0]
}

func combine(is operator, a, b bool) bool {
	switch is {
	case or:
		return a || b
	case and:
		return a && b
	case equal:
		return a == b
	}
	return a != b // xor, unequal
}
