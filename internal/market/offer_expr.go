package market

import (
	"errors"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/vm"
)

const exprExample = "'0.02 + 0.02*used/total'"

// Bounds of a price expression. With the grammar of PriceExpr they bound its
// work: each node is evaluated at most once and none allocates.
const (
	maxExprText  = 512
	maxExprNodes = 128
)

// PriceExpr is a price that depends on the moment at which inputs bind:
//
//	1 + 2*(total-free)/total
//	hour >= 8 && hour < 18 ? 0.05 : max(0.02, 0.04*used/total)
//
// It is an expression over the variables of [PriceVars] in 64-bit floating
// point: numbers, + - * / **, comparisons, && || !, c ? a : b, and min, max, abs,
// floor, ceil, round. There are no loops, lists, texts, assignments or other
// functions, so what never ends cannot be written. The text is a secret.
type PriceExpr struct {
	text    string
	program *vm.Program // nil: it did not compile
}

// PriceVars is what a price expression can look at. Amounts of units are
// capacity over the unit that was asked for, as the scarcest kind of resource
// has it, and need not be whole.
type PriceVars struct {
	Total    float64 `expr:"total"`    // units that the whole capacity is
	Free     float64 `expr:"free"`     // of these, neither leased nor held by a match
	Used     float64 `expr:"used"`     // total − free
	Duration float64 `expr:"duration"` // of the lease that is asked for, in hours
	Hour     float64 `expr:"hour"`     // 0 … 23, UTC
	Weekday  float64 `expr:"weekday"`  // 1, Monday … 7, Sunday, UTC
}

var (
	exprOperators = []string{"+", "-", "*", "/", "**", "^", "<", "<=", ">", ">=", "==", "!=", "&&", "||", "!", "and", "or", "not"}
	exprFunctions = []string{"min", "max", "abs", "floor", "ceil", "round"}
	anyDigit      = regexp.MustCompile(`[0-9]`)
)

// ParsePriceExpr compiles an expression. The error is a *FieldError of the field
// "price-expr"; it does not repeat numbers.
func ParsePriceExpr(text string) (*PriceExpr, error) {
	e := &PriceExpr{text: strings.TrimSpace(text)}
	if err := e.compile(); err != nil {
		return nil, err
	}
	return e, nil
}

func (e *PriceExpr) compile() error {
	bad := func(problem string) error { return wrong("price-expr", problem, exprExample) }
	switch {
	case e.text == "":
		return bad("is empty")
	case len(e.text) > maxExprText:
		return bad(fmt.Sprintf("is longer than %d bytes", maxExprText))
	}
	var arithmetic arithmeticOnly
	opts := []expr.Option{
		expr.Env(PriceVars{}), expr.AsFloat64(), expr.Optimize(false), expr.MaxNodes(maxExprNodes), expr.Patch(&arithmetic),
		expr.DisableIfOperator(), expr.DisableAllBuiltins(),
	}
	for _, name := range exprFunctions {
		opts = append(opts, expr.EnableBuiltin(name))
	}
	program, err := expr.Compile(e.text, opts...)
	switch {
	case arithmetic.problem != "":
		return bad(arithmetic.problem)
	case err != nil:
		return bad(exprProblem(err))
	}
	e.program = program
	return nil
}

// exprProblem puts the compiler's words into ours: where, and what, unless that
// would repeat a number.
func exprProblem(err error) string {
	var at *file.Error
	if !errors.As(err, &at) {
		return "gives no number" // but true or false
	}
	what, _, _ := strings.Cut(strings.TrimPrefix(at.Message, "compilation failed: "), "\n")
	if what == "" || anyDigit.MatchString(what) {
		what = "cannot be read"
	}
	return fmt.Sprintf("is wrong at character %d: %s (there are the variables total, free, used, duration, hour, weekday)", at.Column+1, what)
}

// arithmeticOnly refuses all of the language that is not arithmetic, and makes
// every number one of floating point, where nothing wraps.
type arithmeticOnly struct{ problem string }

// Visit implements ast.Visitor.
func (a *arithmeticOnly) Visit(node *ast.Node) {
	switch n := (*node).(type) {
	case *ast.IntegerNode:
		ast.Patch(node, &ast.FloatNode{Value: float64(n.Value)})
	case *ast.FloatNode, *ast.IdentifierNode, *ast.ConditionalNode, *ast.BoolNode:
	case *ast.UnaryNode:
		a.only("the operator "+n.Operator, exprOperators, n.Operator)
	case *ast.BinaryNode:
		a.only("the operator "+n.Operator, exprOperators, n.Operator)
	case *ast.BuiltinNode:
		a.only("the function "+n.Name, exprFunctions, n.Name)
	case *ast.CallNode:
		if name, ok := n.Callee.(*ast.IdentifierNode); !ok {
			a.refuse("calls what is not a function")
		} else {
			a.only("the function "+name.Value, exprFunctions, name.Value)
		}
	default:
		a.refuse("is more than numbers, variables, + - * / **, comparisons, ?:, and the functions " + strings.Join(exprFunctions, ", "))
	}
}

func (a *arithmeticOnly) only(what string, allowed []string, name string) {
	if !slices.Contains(allowed, name) {
		a.refuse("has " + what + ", which there is not; there are " + strings.Join(allowed, " "))
	}
}

func (a *arithmeticOnly) refuse(problem string) {
	if a.problem == "" {
		a.problem = problem
	}
}

// String is the expression. It is a secret: not for errors or logs.
func (e *PriceExpr) String() string {
	if e == nil {
		return ""
	}
	return e.text
}

// Why an expression gave no price. They say nothing of the price.
var (
	ErrExprNotNumber = errors.New("the price expression has no value: it divides nothing by nothing, or the like")
	ErrExprInfinite  = errors.New("the price expression divides by zero or overflows")
	ErrExprNegative  = errors.New("the price expression is negative")
	ErrExprTooMuch   = errors.New("the price expression is more than 4294.967295")
	ErrExprFailed    = errors.New("the price expression cannot be evaluated")
)

// At evaluates the expression, rounded to the nearest millionth.
func (e *PriceExpr) At(v PriceVars) (Price, error) {
	if e.program == nil {
		return 0, ErrExprFailed
	}
	out, err := expr.Run(e.program, v)
	value, ok := out.(float64)
	switch {
	case err != nil || !ok:
		return 0, ErrExprFailed // the cause might quote numbers
	case math.IsNaN(value):
		return 0, ErrExprNotNumber
	case math.IsInf(value, 0):
		return 0, ErrExprInfinite
	}
	switch value = math.Round(value * priceScale); {
	case value < 0:
		return 0, ErrExprNegative
	case value > float64(NoMaximum):
		return 0, ErrExprTooMuch
	}
	return Price(value), nil
}
