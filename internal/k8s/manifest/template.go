package manifest

// A Template is an operator's own objects for each lease.
type Template struct{}
