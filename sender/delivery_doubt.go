package sender

// A doubt is about a batch that goes on in parts: an attempt of the whole batch may be written, and a later one was refused for
// a reason that the parts do not share. The parts share the doubt.
//
// They have the batch's numbers, from its first on. A broker takes them only if its log lacks the batch. Otherwise the first
// part is neither next in sequence nor a batch that the broker remembers, and is refused. So the first part that is
// acknowledged ends the doubt, and those of all batches around it: they are in no log, and their first numbers are used up.
//
// The log that has taken the part is the topic's of that name, unless the request named the topic by its id. If the topic turns
// out to have been made again, it may be the new log, which says nothing of the old one: the doubt is open again. While nobody
// knows whether the cluster is still the same, no part that is acknowledged ends the doubt.
type doubt struct {
	around *doubt // of the batch that this one was a part of; nil if there is none
	over   bool
	byName bool // it is over by the word of a log that was named by the topic's name

	// Some records were taken out of the batch. Its last numbers go to nobody, so once the doubt is over nothing that was
	// numbered behind it can be written either.
	rejected bool
	named    []refusal // the records that were taken out, until it is known how they end
}

// A refusal is a record that the broker has found at fault.
type refusal struct {
	of    *delivery
	index int32
	err   error
}

// open reports whether the batch, or one around it, may be written.
func (q *doubt) open() bool {
	for ; q != nil; q = q.around {
		if !q.over {
			return true
		}
	}
	return false
}

// doubtful reports whether records of d may be in the log, by an attempt of d or of a batch that d was a part of.
func (d *delivery) doubtful() bool { return d.unknown || d.doubt != nil && d.doubt.open() }

// doubted returns the doubt that the parts of d have in common; nil for none.
func (d *delivery) doubted() *doubt {
	if d.unknown {
		return &doubt{around: d.doubt}
	}
	return d.doubt
}

// end ends the doubt, by the word of a log that was named by the topic's name or by its id.
func (q *doubt) end(byName bool) {
	if !q.over {
		q.over, q.byName = true, byName
	}
}

// reopen opens doubts of d again, since the log whose word has ended them may be another than the one that d may be written to.
// If only the topic was made again, these are the doubts that ended by a log which was named by the topic's name. If the
// cluster was (any), these are all.
func (d *delivery) reopen(any bool) {
	for q := d.doubt; q != nil; q = q.around {
		if q.byName || any {
			q.over, q.byName = false, false
		}
	}
}

// proven ends the doubt that d was in, since the broker has taken d under its numbers. An answer that calls d a duplicate
// proves less: brokers before Kafka 2 say that of anything older than what they remember.
func (c *core) proven(p *partition, d *delivery, byName bool) {
	if !d.numbered || !c.cfg.Idempotent {
		return // without numbers a broker takes everything
	}
	if d.old || p.numbers.Abandoned() {
		return // the log that has taken d may be another than that to which the batch was sent before
	}
	for q := d.doubt; q != nil; q = q.around {
		if q.rejected && !q.over {
			c.forgetYounger(p, d, q, byName)
		}
		q.end(byName)
		c.endNamed(q, false)
	}
}

// forgetYounger notes that no batch that is to be sent again behind d is written: some numbers between d's and theirs go to
// nobody, so no broker can have taken one of these batches. Only the other parts of q's batch keep their numbers.
func (c *core) forgetYounger(p *partition, d *delivery, q *doubt, byName bool) {
	for _, r := range p.retry {
		if r.before(d) <= 0 {
			continue
		}
		r.doubt, r.unknown = r.doubted(), false
		part := false
		for of := r.doubt; of != nil; of = of.around {
			part = part || of == q
			of.end(byName)
			c.endNamed(of, false)
		}
		r.keeps = r.keeps && part
	}
}

// endNamed ends the records that were taken out of q's batch.
func (c *core) endNamed(q *doubt, mayBeWritten bool) {
	named := q.named
	q.named = nil
	c.failRecords(named, mayBeWritten)
}

// endAllNamed ends the records that wait for the end of d. They stay in doubt.
func (c *core) endAllNamed(d *delivery) {
	for q := d.doubt; q != nil; q = q.around {
		c.endNamed(q, true)
	}
}
