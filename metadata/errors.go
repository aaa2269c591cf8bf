package metadata

import (
	"fmt"
	"strings"
	"time"

	"github.com/epistle-kafka/epistle/protocol"
)

// UnknownTopicError says that a topic does not exist, according to the nodes named. It unwraps to the code
// UNKNOWN_TOPIC_OR_PARTITION.
type UnknownTopicError struct {
	Topic string
	Nodes []int32       // who said so; negative: a bootstrap server
	After time.Duration // from the first such answer to the last
}

func (e *UnknownTopicError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "topic %s is unknown to ", protocol.Quoted(e.Topic))
	for i, node := range e.Nodes {
		switch {
		case i > 0 && i == len(e.Nodes)-1:
			b.WriteString(" and ")
		case i > 0:
			b.WriteString(", ")
		}
		b.WriteString(nodeName(node))
	}
	if e.After > 0 {
		fmt.Fprintf(&b, ", still so after %v", e.After.Round(time.Millisecond))
	}
	b.WriteString(": create it, or check its name")
	return b.String()
}

func (e *UnknownTopicError) Unwrap() error { return protocol.UnknownTopicOrPartition }

// TopicError says that a node refused to describe a topic. It unwraps to the error code, such as INVALID_TOPIC_EXCEPTION or
// TOPIC_AUTHORIZATION_FAILED.
type TopicError struct {
	Topic string
	Node  int32 // negative: a bootstrap server
	Code  protocol.ErrorCode
	Addr  string // of the node, host:port; "": not known
}

func (e *TopicError) Error() string {
	return fmt.Sprintf("topic %s: metadata from %s: %v", protocol.Quoted(e.Topic), nodeAt(e.Node, e.Addr), e.Code)
}

func (e *TopicError) Unwrap() error { return e.Code }

// badTopicError says that an answer is incomplete, or makes no sense, for a topic.
type badTopicError struct {
	topic string
	node  int32
	what  string
	addr  string
}

func (e *badTopicError) Error() string {
	return fmt.Sprintf("topic %s: metadata from %s: %s", protocol.Quoted(e.topic), nodeAt(e.node, e.addr), e.what)
}

// nodeAt names a node in errors, with its address if that is known.
func nodeAt(node int32, addr string) string {
	if node < 0 || addr == "" {
		return nodeName(node)
	}
	return fmt.Sprintf("broker %d at %s", node, protocol.Shown(addr))
}

func nodeName(node int32) string {
	if node < 0 {
		return "a bootstrap server"
	}
	return fmt.Sprintf("node %d", node)
}
