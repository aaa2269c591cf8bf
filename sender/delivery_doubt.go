package sender

// A doubt is what is not known of a batch that goes on in parts: an attempt of it as a whole may be written, and a later one
// was refused for a reason that the parts do not share. The parts of it have it in common.
//
// They have numbers of the batch, from its first on. A broker takes them only where the batch is not: if that is in the log,
// the first part is neither what comes next nor a batch that the broker has, and is refused. So the first part that is
// acknowledged ends the doubt, and that of all batches around it: they are in no log, and the numbers that they begin with are
// gone.
type doubt struct {
	around *doubt // of the batch that this one was a part of; nil if there is none
	over   bool

	// Of a batch that some records were taken out of. Its last numbers go to nobody, so nothing that was numbered behind it can
	// be written either once the doubt is over.
	rejected bool
	named    []refusal // the records that were taken out, as long as it is not known how they end
}

// A refusal is a record that the broker has found at fault.
type refusal struct {
	of    *delivery
	index int32
	err   error
}

// open reports whether anything around the parts may be written.
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

// proven ends the doubt that d was in: the broker has taken it, under its numbers. An answer that calls it a duplicate proves
// less: brokers before Kafka 2 say so of whatever is older than all that they remember.
func (c *core) proven(p *partition, d *delivery) {
	if !d.numbered || !c.cfg.Idempotent {
		return // without numbers a broker takes everything
	}
	for q := d.doubt; q != nil; q = q.around {
		if q.rejected && !q.over {
			c.forgetYounger(p, d, q)
		}
		q.over = true
		c.endNamed(q, false)
	}
}

// forgetYounger notes that what is to be sent again behind d is certainly not written: between d's numbers and its own are some
// that go to nobody. Only the other parts of q's batch can keep their numbers.
func (c *core) forgetYounger(p *partition, d *delivery, q *doubt) {
	for _, r := range p.retry {
		if r.before(d) <= 0 {
			continue
		}
		r.unknown = false
		part := false
		for of := r.doubt; of != nil; of = of.around {
			part = part || of == q
			of.over = true
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

// endAllNamed ends the records that were waiting to be told how d would end, which is in doubt.
func (c *core) endAllNamed(d *delivery) {
	for q := d.doubt; q != nil; q = q.around {
		c.endNamed(q, true)
	}
}
