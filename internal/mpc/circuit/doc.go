// Package circuit holds boolean circuits: what a match computes, as gates.
//
// A [Circuit] is public. Every party of a match builds the same one by itself, and its [Circuit.Hash] enters the session
// identifier, so that two parties with different circuits do not even start. What is secret are the values on the wires.
//
// # Shape
//
// Wires are numbered. The input wires come first, in the order in which they were declared, each owned by one party; the
// k-th gate drives wire len(Inputs)+k and reads only wires below it. There are three kinds of gate: AND costs triples,
// tables and hashing in the protocol, XOR and NOT are free. Constants are not wires: they are public, so the builder
// folds them away. Any wire may be an output; each entry of Outputs has one recipient, and a value that two parties
// learn is two entries. An entry may have a condition.
//
// Parties are numbered from 0. Party 0 is the requester and evaluates the garbled circuit; the others are providers and
// garble it. Words are little-endian: bit 0 comes first.
//
// # Building
//
// A [Builder] turns calls into gates: bits (And, Xor, Not, Or, Mux) and words (Add, Sub, Less, Equal, MuxWord, OneHot …).
// It folds constants and double negations and merges common subexpressions as they appear; [Builder.Build] drops the gates
// that no output needs, keeps all inputs, numbers what is left in the order of creation and validates the result. The same calls give the same gates in the same order, and so the same hash.
//
// # What is refused
//
// [Circuit.Validate] accepts a circuit from elsewhere under the same rules under which Build makes one. Three of them, and
// those on conditional outputs, are about the protocol and not about the form.
//
// AND(w, w) is refused: it is a mistake in whoever wrote it. The protocol's safety does not rest on that.
//
// The masks of the providers' outputs need shares of party 0. In the protocol a wire w carries the public bit
// Λ = v ⊕ λ, where v is its value and the mask λ is the XOR of shares that the parties hold. A garbler that owns both
// inputs of an AND can read from its peers' rows everything about the Λ behind it but what party 0's share hides, and the
// providers' shares of each other's output masks leave them when their tables do, not after the evaluation. A coalition
// of providers that sends its tables late and finds no share of party 0 missing would know its outputs beforehand and
// could send tables that fail exactly if it has lost. Party 0's own shares leave it last, after every check of the
// evaluation, so they must stand between the providers and each of their outputs.
//
// Which masks have such a share follows from how masks are made. The mask of an input wire is known to its owner alone:
// nobody else has a share of it. The mask of an AND's output is fresh, and all parties hold uniform shares of it. XOR adds
// the masks of its inputs; NOT keeps the mask. So the mask of any wire is a sum over GF(2) of some input masks and some AND
// masks, in which what occurs twice cancels, and the value of the wire is, up to a constant, the same sum of the same
// inputs and ANDs. Party 0 holds a share of that sum exactly if, after cancelling, an AND or an input of party 0 is left in
// it. That is asked of each provider output; an output that is constant, or a sum of the providers' inputs alone, fails.
//
// It is not enough to ask it of each output alone: if γ is an AND and x an input of a provider, then γ and γ ⊕ x pass one
// by one, but their XOR has x's mask only, and so the providers would know a relation between their outputs early. The rule
// is therefore that every XOR of provider outputs either vanishes identically (the same wire twice, or its negation: this
// tells nothing) or has a share of party 0. In terms of the matrix with one row an output and one column a mask: the
// columns of the providers' inputs lie in the span of the columns of ANDs and of party 0's inputs. Outputs to party 0 are
// free of the rule; what is delivered to it is masked by the others' shares until their checks are done, and its own
// evaluation is what makes it able to learn anything at all.
//
// Sums of several parties' inputs are refused, as outputs to anybody, if no AND masks them. A party opens its own share of an
// output's mask, and to that share of x ⊕ y, inputs of two parties, each of them contributes all of the mask of its input:
// who also has the Λ of the inputs, as party 0 has, and as a provider may get by spoiling rows of its own output, has x and y. So
// has who is told γ ⊕ x and γ ⊕ y, or γ and γ ⊕ x ⊕ y, of an AND γ. Behind an AND of which nothing else is told, shares are
// uniform but for their sum. The rule is that an output without an AND in its mask has inputs of one party beside its recipient at
// most, and that the XORs of other outputs in whose masks the ANDs cancel have inputs of one and the same party. Whatever
// coalition there is, what the shares that it is sent tell it beyond its outputs is then inputs of its own: take any sum of
// values of which each honest party has opened, within some sum of outputs, the own part of the mask. Two of these sums of
// outputs have the same ANDs, so their XOR has none, and consists of parts that are each of one party and told. Between two
// parties the rule is void: of two, only one is honest.
//
// # Conditional outputs
//
// What a provider learns only if some bit is 1 costs no AND if party 0 learns it anyway: the provider's output is
// [Conditional], and in the protocol party 0 keeps its share of the mask from a provider whose condition is 0. The ideal
// functionality hands out value ∧ condition, and for that to be all that anybody gets
//
//   - the value must be an output, or an input, of party 0: a corrupt one can always give its share to the provider;
//   - the condition must be a private output of party 0, which decides by it, and of the provider, which decides by it too
//     whether to look at what party 0 says;
//   - the rule on masks holds for conditional outputs as for others, and for all XORs of both. It then says that party 0's
//     shares of what it keeps back are independent of those that it hands out, unless the values are the same function;
//   - the rule on sums does too: garblers' shares of what is kept back are not.
//
// All conditional outputs of a provider have one condition, so that what it is sent is of two kinds.
package circuit
