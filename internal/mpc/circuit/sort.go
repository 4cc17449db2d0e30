package circuit

// Comparator is one step of a sorting network: afterwards place Low has the smaller of two values and place High the larger.
type Comparator struct{ Low, High int }

// SortingNetwork gives comparators that sort n values, whatever they are: Batcher's odd-even merge sort (Batcher, "Sorting
// networks and their applications", AFIPS 1968; Knuth, TAOCP 3, 5.3.4, Algorithm M) without the comparators that would touch
// places from n on. It has 5, 19, 63, 191 and 543 comparators for 4, 8, 16, 32 and 64 values, where the fewest known are 5,
// 19, 60, 185 and 521; all n from 0 on are allowed. Comparators that touch different places may be done at the same time;
// the order of the list is one in which they may be done one by one.
//
// A network is not stable: who needs an order among equals puts it into the values.
func SortingNetwork(n int) []Comparator {
	var network []Comparator
	top := 1
	for top < n {
		top *= 2
	}
	for p := top / 2; p > 0; p /= 2 {
		q, r, d := top/2, 0, p
		for {
			for i := range n - d {
				if i&p == r {
					network = append(network, Comparator{Low: i, High: i + d})
				}
			}
			if q == p {
				break
			}
			d, q, r = q-p, q/2, p
		}
	}
	return network
}
