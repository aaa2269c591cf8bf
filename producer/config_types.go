package producer

import "strconv"

// Acks says how many replicas must have a record before it counts as written. Its zero value is AcksNone, which is not the
// default. Idempotence and transactions need AcksAll: for the other two set Config.EnableIdempotence to false as well.
type Acks int16

const (
	// AcksNone: no broker answers. A record counts as written once it was handed to the socket, and its offset is not known.
	AcksNone Acks = 0
	// AcksLeader: the leader has the record. It is lost if the leader fails before a replica has copied it.
	AcksLeader Acks = 1
	// AcksAll: every in-sync replica has the record. The default.
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

// TopicRecreation says what happens to records that wait while their topic is deleted and made again. In both cases a record
// that may already be in the log of the old topic fails, and its error says so. No record is written to both.
type TopicRecreation uint8

const (
	// FollowNewTopic sends the records that wait to the new topic. The default.
	FollowNewTopic TopicRecreation = iota
	// FailRecords fails the records that were sent before the topic was made again. Only later ones go to the new topic.
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
