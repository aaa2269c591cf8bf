package sender

import (
	"testing"

	"github.com/epistle-kafka/epistle/protocol"
)

// TestJudge is the whole rule as a table. What is between the lines is in
// TestJudgeNeverNumbersAnewWhatMayBeWritten.
func TestJudge(t *testing.T) {
	first := attempt{records: 2, idempotent: true, oldest: true}
	behind := attempt{records: 2, idempotent: true}
	doubtful := attempt{records: 2, idempotent: true, oldest: true, unknown: true}
	single := attempt{records: 1, idempotent: true, oldest: true}
	named := attempt{records: 2, idempotent: true, oldest: true, named: true}
	plain := attempt{records: 2, oldest: true}
	tests := []struct {
		name string
		a    attempt
		code protocol.ErrorCode
		want verdict
	}{
		{"written", first, protocol.NoError, delivered},
		{"written at the second attempt", doubtful, protocol.NoError, delivered},
		{"somebody else's is there", first, protocol.DuplicateSequenceNumber, fail},
		{"there already, as feared", doubtful, protocol.DuplicateSequenceNumber, duplicate},

		{"a reason that passes", first, protocol.NotEnoughReplicas, again},
		{"a reason that passes, in doubt", doubtful, protocol.NotEnoughReplicasAfterAppend, again},
		{"another leader", first, protocol.NotLeaderOrFollower, again},
		{"a broken disk", first, protocol.KafkaStorageError, again},
		{"damaged on the way", first, protocol.CorruptMessage, again},
		{"a topic id that has gone", first, protocol.UnknownTopicID, again},
		{"a reason that passes, without numbers", plain, protocol.NotEnoughReplicas, again},

		{"too large", first, protocol.MessageTooLarge, split},
		{"larger than a segment", first, protocol.RecordListTooLarge, split},
		{"too large, alone", single, protocol.MessageTooLarge, fail},
		{"too large, in doubt", doubtful, protocol.MessageTooLarge, split},
		{"too large, alone, in doubt", attempt{records: 1, idempotent: true, oldest: true, unknown: true}, protocol.MessageTooLarge, fail},
		{"too large, without numbers", plain, protocol.MessageTooLarge, split},

		{"records at fault", named, protocol.InvalidRecord, rejectRecords},
		{"records at fault, in doubt", attempt{records: 2, idempotent: true, oldest: true, named: true, unknown: true}, protocol.InvalidRecord, rejectRecords},
		{"some record at fault, in doubt", doubtful, protocol.InvalidRecord, fail},
		{"some record at fault", first, protocol.InvalidRecord, fail},
		{"a timestamp out of range", first, protocol.InvalidTimestamp, fail},

		{"a gap", first, protocol.OutOfOrderSequenceNumber, renumber},
		{"the echo of a gap", behind, protocol.OutOfOrderSequenceNumber, again},
		{"a gap, in doubt", doubtful, protocol.OutOfOrderSequenceNumber, fail},
		{"a producer that is forgotten", first, protocol.UnknownProducerID, renumber},
		{"an old epoch", first, protocol.InvalidProducerEpoch, renumber},
		{"the echo of an old epoch", behind, protocol.InvalidProducerEpoch, again},
		{"numbers at fault where there are none", plain, protocol.OutOfOrderSequenceNumber, fail},

		{"not allowed", first, protocol.TopicAuthorizationFailed, fail},
		{"a code from the future", first, 999, fail},
		{"no code at all", first, protocol.UnknownServerError, fail},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.a.code = tt.code
			if got := judge(tt.a); got != tt.want {
				t.Errorf("judge(%+v) = %v, want %v", tt.a, got, tt.want)
			}
		})
	}
}

// TestJudgeNeverNumbersAnewWhatMayBeWritten goes through every code there is.
func TestJudgeNeverNumbersAnewWhatMayBeWritten(t *testing.T) {
	for code := protocol.ErrorCode(-10); code < 300; code++ {
		for bits := range 16 {
			a := attempt{
				code: code, records: int32(1 + bits&1), named: bits&2 != 0,
				idempotent: bits&4 != 0, oldest: bits&8 != 0, unknown: true,
			}
			switch v := judge(a); v {
			case renumber:
				t.Errorf("judge(%+v) = %v: records that may be written would get other numbers (I3, I6)", a, v)
			case delivered:
				if code != protocol.NoError {
					t.Errorf("judge(%+v) = delivered", a)
				}
			}
		}
	}
}
