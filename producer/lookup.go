package producer

import (
	"fmt"
	"time"
)

// lookup returns a topic that Send does not know yet.
func (p *Producer) lookup(w *wait, name string) (*topic, error) {
	if err := checkTopic(name); err != nil {
		return nil, err
	}
	if !w.block {
		if s := p.sender.Snapshot(); s != nil {
			if err := s.Failure(time.Now(), name); err != nil {
				return nil, err
			}
		}
		if err := p.sender.Want(name); err != nil {
			return nil, err
		}
		if s := p.sender.Snapshot(); s != nil {
			if err := s.LastFailure(name); err != nil {
				return nil, err // until the look-up that has just begun knows better
			}
		}
		if err := p.sender.Refusal(); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrTopicNotLoaded, err)
		}
		if err := p.sender.Missing(name); err != nil {
			return nil, fmt.Errorf("%w; %w", ErrTopicNotLoaded, err)
		}
		return nil, ErrTopicNotLoaded
	}
	for {
		began := time.Now()
		err := p.sender.Lookup(w.begin(), name)
		w.forMetadata(began)
		if err != nil {
			return nil, err
		}
		if t := p.topics.get(name); t != nil {
			return t, nil
		} // else it was idle, and was forgotten in this very moment
	}
}

// lookupPartition returns the record's topic once it has the partition that it lacked by what was known. Partitions can be
// added at any time, so only the cluster can say that there is none: it is asked again and again until max.block has passed.
//
// A partition that a partitioner has chosen is refused at once, since the partitioner was told how many there are. But it may
// know better from another source, so the topic is looked up again for the next record.
func (p *Producer) lookupPartition(w *wait, e *entry, lacking *NoSuchPartitionError) (*topic, error) {
	switch {
	case lacking.Want < 0:
		return nil, lacking
	case !e.partition.named:
		p.sender.WantPartition(e.topic, lacking.Want)
		return nil, fmt.Errorf("the partitioner has chosen what the topic lacks: %w", lacking)
	case !w.block:
		p.sender.WantPartition(e.topic, lacking.Want)
		return nil, fmt.Errorf("%w, as far as is known: the topic is being looked up again, so try again soon", lacking)
	}
	began := time.Now()
	err := p.sender.LookupPartition(w.begin(), e.topic, lacking.Want)
	w.forMetadata(began)
	if err != nil {
		if t := p.known(e); t != nil {
			lacking.Have = t.view.Partitions
		}
		return nil, fmt.Errorf("%w: %w", lacking, err)
	}
	if t := p.known(e); t != nil {
		return t, nil
	}
	return p.lookup(w, e.topic) // it was idle, and was forgotten in this very moment
}

// maxTopicName is the longest name that Kafka allows, in bytes.
const maxTopicName = 249

// checkTopic applies Kafka's rules for names.
func checkTopic(name string) error {
	switch {
	case name == "":
		return &InvalidTopicError{name, "not be empty"}
	case name == "." || name == "..":
		return &InvalidTopicError{name, `not be "." or ".."`}
	case len(name) > maxTopicName:
		return &InvalidTopicError{name, fmt.Sprintf("have at most %d characters, and it has %d", maxTopicName, len(name))}
	}
	for _, c := range []byte(name) {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '.', c == '_', c == '-':
		default:
			return &InvalidTopicError{name, "consist of letters, digits, '.', '_' and '-'"}
		}
	}
	return nil
}
