package doctor

import (
	"fmt"
	"time"

	"github.com/epistle-kafka/epistle/protocol"
)

// testRecord is the stages Record and Clock. A record is written if that is asked for; where its topic has the broker's clock give
// it its time, that tells of the clock. Nothing else that a producer may ask tells a broker's time.
func (r *run) testRecord() {
	const untold = "no broker has told its time: only the answer to a record does, and of a topic with message.timestamp.type=LogAppendTime"
	if !r.o.Send || len(r.topics) == 0 {
		r.skip(Record, "", "none was asked for")
		r.skip(Clock, "", untold)
		return
	}
	t := r.topics[0]
	switch {
	case r.over(), r.anyLink() == nil, t.found == nil:
		r.blocked(Record, t.of)
		r.skip(Clock, "", untold)
		return
	}
	began := r.t.Now()
	landed, err := r.t.Send(r.ctx, t.name)
	c := Check{Stage: Record, Of: t.of, Took: r.since(began), Verdict: OK}
	if err != nil {
		c.Verdict, c.Err, c.Text = Failed, err, protocol.ShownText(err.Error())
		c.Advice = "see what was found before"
		r.add(c)
		r.skip(Clock, "", untold)
		return
	}
	r.report.Landed = &landed
	c.Text = fmt.Sprintf("a record was written: partition %d, offset %d", landed.Partition, landed.Offset)
	if landed.Offset < 0 {
		c.Text = fmt.Sprintf("a record was sent to partition %d, and not acknowledged (acks=0)", landed.Partition)
	}
	r.add(c)
	if t.state.Settings["message.timestamp.type"] != "LogAppendTime" || landed.Offset < 0 {
		r.skip(Clock, "", untold)
		return
	}
	r.add(judgeClock(landed.Timestamp, landed.Sent, landed.Sent.Add(landed.Took)))
}

// Text is what a test record says of itself.
func Text(now time.Time) string {
	return "a test record of epistle doctor, written at " + now.UTC().Format(time.RFC3339)
}

// Key is that of a test record: compacted topics take none without.
const Key = "epistle-doctor"
