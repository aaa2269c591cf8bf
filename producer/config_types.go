package producer

import "strconv"

// Acks says how many replicas must have a record before it counts as sent. Its zero value is AcksNone, not Java's
// default: take it from DefaultConfig.
type Acks int16

const (
	// AcksNone: nobody answers. A record counts as sent once it is written to the socket, and has no offset.
	AcksNone Acks = 0
	// AcksLeader: the leader has it. It is lost if the leader fails before a replica has copied it.
	AcksLeader Acks = 1
	// AcksAll: every in-sync replica has it. The default.
	AcksAll Acks = -1
)

// String returns the value as acks takes it: all, 0 or 1.
func (a Acks) String() string {
	if a == AcksAll {
		return "all"
	}
	return strconv.Itoa(int(a))
}

// Compression is the codec of whole batches. Its values are those of the record batch's attributes.
type Compression int8

// What compression.type may name.
const (
	NoCompression Compression = iota
	Gzip
	Snappy
	LZ4
	Zstd
)

var compressionNames = [...]string{"none", "gzip", "snappy", "lz4", "zstd"}

// String returns the name that compression.type takes.
func (c Compression) String() string {
	return enumName(compressionNames[:], int(c))
}

// MetadataRecoveryStrategy says what to do when none of the known brokers can be reached.
type MetadataRecoveryStrategy uint8

const (
	// RecoveryRebootstrap starts over from BootstrapServers. The default (KIP-899, KIP-1102).
	RecoveryRebootstrap MetadataRecoveryStrategy = iota
	// RecoveryNone goes on trying the brokers known last.
	RecoveryNone
)

var recoveryNames = [...]string{"rebootstrap", "none"}

// String returns the name that metadata.recovery.strategy takes.
func (s MetadataRecoveryStrategy) String() string {
	return enumName(recoveryNames[:], int(s))
}

// TopicRecreation says what happens to records whose topic was deleted and made again while they waited. Either way
// a record that may already be in the old topic's log fails as such: it is never written to both.
type TopicRecreation uint8

const (
	// FollowNewTopic sends what is still here to the new topic, with sequences from 0. The default.
	FollowNewTopic TopicRecreation = iota
	// FailRecords fails what was accepted for the old topic; only records sent afterwards go to the new one.
	FailRecords
)

var recreationNames = [...]string{"follow", "fail"}

// String returns the name that topic.recreation takes.
func (r TopicRecreation) String() string {
	return enumName(recreationNames[:], int(r))
}

func enumName(names []string, i int) string {
	if i < 0 || i >= len(names) {
		return "unknown (" + strconv.Itoa(i) + ")"
	}
	return names[i]
}
