package doctor

import (
	"strings"

	"github.com/epistle-kafka/epistle/internal/slips"
	"github.com/epistle-kafka/epistle/protocol"
)

// topicLike returns a topic of the cluster whose name is nearly the one that does not exist, "" if there is none that this client
// may see.
func (r *run) topicLike(name string) string {
	if len(r.links) == 0 || r.over() {
		return ""
	}
	resp := new(protocol.MetadataResponse)
	if err := r.links[0].Ask(r.ctx, &protocol.MetadataRequest{Topics: nil}, resp); err != nil { // nil asks for all
		return ""
	}
	var names []string
	for i := range resp.Topics {
		if t := &resp.Topics[i]; t.Name != nil && !t.IsInternal && t.ErrorCode == protocol.NoError {
			names = append(names, *t.Name)
		}
	}
	return nearest(name, names)
}

// nearest returns the name that is most like a misspelt one, "" if none is. One letter may differ, and one more for each six of them.
// Upper and lower case are the same.
func nearest(name string, names []string) string {
	const mostOfName = 249 // the longest name of a topic
	best, least := "", len(name)/6+2
	if len(name) > mostOfName {
		return ""
	}
	for _, n := range names {
		if len(n) > mostOfName || len(n) <= 1 || max(len(n), len(name))-min(len(n), len(name)) >= least {
			continue
		}
		if d := slips.Between(strings.ToLower(name), strings.ToLower(n)); d < least && d < len(n)-1 {
			best, least = n, d
		}
	}
	return best
}
