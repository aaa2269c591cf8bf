package protocol

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
)

// Numbers, names and classes are those of the Java client 4.4.0. The three sequence codes have a class of their own.
func TestErrorCodesAreJavas(t *testing.T) {
	// Recorded by testdata/java/errorcodes/record.sh: number, name, class.
	text, err := os.ReadFile("testdata/errorcodes/errorcodes.txt")
	if err != nil {
		t.Fatal(err)
	}
	classes := map[string]Class{
		"none": ClassNone, "refresh-retriable": ClassRefreshRetriable, "retriable": ClassRetriable, "abortable": ClassAbortable,
		"application-recoverable": ClassApplicationRecoverable, "invalid-configuration": ClassInvalidConfiguration, "other": ClassFatal,
	}
	sequence := []ErrorCode{OutOfOrderSequenceNumber, DuplicateSequenceNumber, UnknownProducerID}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	for _, line := range lines {
		var code ErrorCode
		var name, class string
		if _, err := fmt.Sscan(line, &code, &name, &class); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		if got := code.Name(); got != name {
			t.Errorf("%d: got %s, want %s", int16(code), got, name)
		}
		want, ok := classes[class]
		if !ok {
			t.Fatalf("%q: no such class", line)
		}
		if slices.Contains(sequence, code) {
			want = ClassSequence
		}
		if got := code.Class(); got != want {
			t.Errorf("%s: got class %v, want %v", name, got, want)
		}
	}
	if got, want := len(errorCodes), len(lines); got != want {
		t.Errorf("got %d codes, want %d", got, want)
	}
}

// Kafka adds codes. One that we do not know is final for its batch, is not retried, ends no more than that, and tells nothing
// about the log.
func TestUnknownErrorCodes(t *testing.T) {
	next := ErrorCode(len(errorCodes) - 1) // that Kafka adds
	for _, code := range []ErrorCode{next, 32767, -2, -32768} {
		if code.Class() != ClassFatal || code.Retriable() || code.RefreshMetadata() || !code.MayBeWritten() || code.Reach() != ReachBatch {
			t.Errorf("%d: got %v, retriable %t, refresh %t, may be written %t, ends %v; want fatal, not retriable, may be written, ends the batch",
				int16(code), code.Class(), code.Retriable(), code.RefreshMetadata(), code.MayBeWritten(), code.Reach())
		}
		if want := fmt.Sprintf("error code %d, which is not known here; a newer broker may have sent it", int16(code)); code.Error() != want {
			t.Errorf("got %q, want %q", code.Error(), want)
		}
		if want := fmt.Sprintf("ERROR_%d", int16(code)); code.Name() != want {
			t.Errorf("got name %q, want %q", code.Name(), want)
		}
	}
}

// Only what a broker says before it appends is a promise that nothing was written. To take one of the others for a refusal
// would let its sequence numbers go to other records, and the broker drop these as duplicates.
func TestMayBeWritten(t *testing.T) {
	definite := []ErrorCode{
		CorruptMessage, UnknownTopicOrPartition, MessageTooLarge, CoordinatorLoadInProgress, CoordinatorNotAvailable,
		NotCoordinator, InvalidTopicException, RecordListTooLarge, NotEnoughReplicas, InvalidRequiredAcks,
		TopicAuthorizationFailed, ClusterAuthorizationFailed, InvalidTimestamp, UnsupportedSaslMechanism,
		IllegalSaslState, UnsupportedVersion, InvalidRequest, UnsupportedForMessageFormat, PolicyViolation,
		OutOfOrderSequenceNumber, InvalidProducerEpoch, InvalidTxnState, InvalidProducerIDMapping,
		ConcurrentTransactions, TransactionalIDAuthorizationFailed, SaslAuthenticationFailed, UnknownProducerID,
		UnsupportedCompressionType, InvalidRecord, ThrottlingQuotaExceeded, ProducerFenced, UnknownTopicID,
		InconsistentTopicID, TransactionAbortable,
	}
	for i := range errorCodes {
		code := ErrorCode(i - 1)
		if got, want := code.MayBeWritten(), !slices.Contains(definite, code); got != want {
			t.Errorf("%s: got %t, want %t", code.Name(), got, want)
		}
	}
}

// What a code ends is no more than it must.
func TestReach(t *testing.T) {
	want := map[Reach][]ErrorCode{
		ReachRecord: {InvalidTimestamp, InvalidRecord},
		ReachTopic:  {InvalidTopicException, TopicAuthorizationFailed},
		ReachTransaction: {OffsetMetadataTooLarge, IllegalGeneration, InvalidGroupID, UnknownMemberID, InvalidCommitOffsetSize,
			GroupAuthorizationFailed, InvalidProducerEpoch, InvalidTxnState, GroupIDNotFound, FencedInstanceID, StaleMemberEpoch,
			TransactionAbortable},
		ReachProducer: {InvalidRequiredAcks, ClusterAuthorizationFailed, UnsupportedSaslMechanism, IllegalSaslState,
			UnsupportedVersion, InvalidProducerIDMapping, InvalidTransactionTimeout, TransactionalIDAuthorizationFailed,
			SaslAuthenticationFailed, ProducerFenced},
	}
	got := map[Reach][]ErrorCode{}
	for i := range errorCodes {
		if code := ErrorCode(i - 1); code.Reach() != ReachBatch {
			got[code.Reach()] = append(got[code.Reach()], code)
		}
	}
	for reach := ReachRecord; reach <= ReachProducer; reach++ {
		if !slices.Equal(got[reach], want[reach]) {
			t.Errorf("%v: got %v, want %v", reach, got[reach], want[reach])
		}
	}
}

// A code is an error, and found in what wraps it; no error is none.
func TestErrorCodeIsAnError(t *testing.T) {
	if err := NoError.Err(); err != nil {
		t.Errorf("NoError: got %v, want nil", err)
	}
	err := fmt.Errorf("topic orders: %w", NotLeaderOrFollower.Err())
	if !errors.Is(err, NotLeaderOrFollower) || errors.Is(err, UnknownServerError) {
		t.Errorf("got %v, which is not NOT_LEADER_OR_FOLLOWER alone", err)
	}
	const want = "topic orders: NOT_LEADER_OR_FOLLOWER (6): the broker does not lead that partition; the leader has moved"
	if err.Error() != want {
		t.Errorf("got  %q\nwant %q", err.Error(), want)
	}
	if got, want := FetchSessionIDNotFound.Error(), "FETCH_SESSION_ID_NOT_FOUND (70)"; got != want {
		t.Errorf("a consumer's code: got %q, want %q", got, want)
	}
}

// Whatever class a producer can meet comes with advice. So does every code that it may show to a user.
func TestErrorTextsOfProducersCodes(t *testing.T) {
	for i, entry := range errorCodes {
		if entry.text == "" && (entry.refused || entry.reach != ReachBatch || entry.class == ClassSequence || entry.class == ClassInvalidConfiguration && i-1 != 65) {
			t.Errorf("%s: no text", entry.name)
		}
		if strings.HasSuffix(entry.text, ".") {
			t.Errorf("%s: %q ends with a full stop; others wrap it", entry.name, entry.text)
		}
	}
}
