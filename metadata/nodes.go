package metadata

// nodes remembers which nodes gave no answer, or one that was no help. It only decides the order: such a node is asked again
// when all others were no help, either.
type nodes struct {
	order  map[int32]int // by node: when it was last of no help
	count  int
	silent map[int32]bool // has given no usable answer since some node last did
}

func (n *nodes) markUnhelpful(node int32) {
	if n.order == nil {
		n.order = make(map[int32]int)
	}
	n.count++
	n.order[node] = n.count
}

func (n *nodes) markSilent(node int32) {
	n.markUnhelpful(node)
	if n.silent == nil {
		n.silent = make(map[int32]bool)
	}
	n.silent[node] = true
}

// answered notes that some node gave a usable answer. whole says that nothing is left to ask.
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

// Prefer returns the node that is best asked next. That is the first that was not of no help lately: it gave no answer, did not
// know a topic, or told nothing new. If all were of no help, it is the one for which that is longest ago. Pass the least loaded
// node first. nodes must not be empty. Bootstrap servers have negative ids, each a different one.
func (c *Cluster) Prefer(nodes []int32) int32 {
	best := nodes[0]
	for _, node := range nodes[1:] {
		if c.nodes.order[node] < c.nodes.order[best] {
			best = node
		}
	}
	return best
}
