package metadata

// nodes remembers which nodes disappointed: gave no answer, or one that was no help. It is a matter of order only: a node
// that disappointed is asked again when all others have, too.
type nodes struct {
	order  map[int32]int // node -> when it last disappointed
	count  int
	silent map[int32]bool // gave no usable answer since one did
}

func (n *nodes) disappointed(node int32) {
	if n.order == nil {
		n.order = make(map[int32]int)
	}
	n.count++
	n.order[node] = n.count
}

func (n *nodes) gaveNoAnswer(node int32) {
	n.disappointed(node)
	if n.silent == nil {
		n.silent = make(map[int32]bool)
	}
	n.silent[node] = true
}

// answered notes that some node gave a usable answer. whole says that it left nothing open.
func (n *nodes) answered(whole bool) {
	clear(n.silent)
	if whole {
		clear(n.order)
	}
}

func (n *nodes) forget() {
	clear(n.silent)
	clear(n.order)
}

// Prefer returns which of the given nodes is best asked next: the first that has not disappointed lately, by no answer, an
// unknown topic or one that brought nothing new; else the one that did so longest ago. Pass the least loaded first;
// nodes must not be empty. Bootstrap servers have negative ids, best a different one for each.
func (c *Cluster) Prefer(nodes []int32) int32 {
	best := nodes[0]
	for _, node := range nodes[1:] {
		if c.nodes.order[node] < c.nodes.order[best] {
			best = node
		}
	}
	return best
}
