// Package protocol turns Kafka's messages, record batches and error codes into bytes and back.
//
// It is the bottom of the module. It opens no connection, starts no goroutine, reads no clock, and knows nothing of what a
// producer does with a message. The packages above it decide which version to speak, what to retry and where to send.
//
// # Messages
//
// A message is a struct with the fields of Kafka's schema, all versions in one, in the file named after it. Every message can
// be encoded and decoded, the requests as well as the responses, so that the same code serves clients and test brokers. Whole
// frames are made and read by the functions in frame.go:
//
//   - [AppendRequest], or [FrameRequest] where record batches are not to be copied, and [DecodeResponse] by a client,
//   - [DecodeRequest] and [AppendResponse] by a broker.
//
// What holds for all messages:
//
//   - A field that a version does not have is not written, and is read as the schema's default. A comment names the
//     versions of each field that some version lacks. A struct literal does not know these defaults: a field whose
//     comment says that -1 means none must be set to -1.
//   - A nil *string is null. A nil slice is null where the schema has null and empty where it has not; reading makes
//     the same difference, and gives nil for an empty array that cannot be null. A null string where the version
//     knows none is written as the empty string.
//   - Times are durations, whole milliseconds on the wire; what does not fit becomes the nearest that does.
//   - Byte slices and records that were read alias the frame. Strings do not. A [SelfContained] response has neither
//     byte slices nor records.
//   - Encoding cannot fail. What can be no message at all, a version out of range or a string above 32767 bytes, is a
//     bug of the caller and panics. So whoever takes strings from a user checks their length first.
//   - Decoding takes any bytes and never panics. It stops at the first error, which names message, version and the
//     byte in the frame, counted from behind the frame's length. Bytes left over are an error, unknown tagged fields
//     are skipped. What a frame makes it allocate is bounded by a small multiple of the frame.
//
// Values are not synchronised: one goroutine at a time may use a message. Functions of the package may be called from any
// goroutine.
//
// # Record batches
//
// [Record], [BatchHeader] and [Compressor] are the parts from which a batch of format v2 is put together; [DecodeBatch] reads
// one. A ProduceRequest carries a batch as opaque bytes, in chunks.
//
// # Errors
//
// [ErrorCode] is the code with which a broker refuses something. A table says what each code means for a producer: its [Class],
// its [Reach], and whether the batch may be in the log all the same.
//
// # To add a message
//
//  1. Read its schema, common/message/FooRequest.json and FooResponse.json in Kafka's clients.
//  2. In foo.go write both structs with the schema's fields in the schema's order, nested structs named as there.
//  3. Give the request API and NewResponse, the response API and ThrottleFor, from the schema's head. API.ClientThrottled is the
//     first version for which ThrottleTimeMs is documented as of KIP-219, or 0.
//  4. Write encode and decode of each struct field by field, one "if version" for each field that was added or
//     removed, tags last; no other thought of the version is needed. decode sets every field: it first assigns the
//     defaults, unless every version has every field. decodeArray wants the least size of an element in any version.
//  5. Add the request to newRequests in api.go. The tests of round trips, prefixes and hostile lengths, and the fuzz
//     targets, find it there.
//  6. Record its golden vectors (make golden): a test fails until every version has them.
//  7. Add its row to apis in brokertest/apis.go, and its key to keys.go: a test fails until it is there.
//
// A new version of a message is steps 4 and 6, a new API.Max, and the versions in its row of brokertest.
//
// # Compatibility
//
// This package is package producer's own. Its names are exported for the other packages of this module, and promise nothing to
// anybody else: any version may change or remove them. What packages producer and brokertest hand out is kept as they keep it:
// [ErrorCode] with its constants and methods, but for Class and Reach, [Header], [KeyValue] and [UUID]. The messages that
// brokertest shows are Kafka's, and get new fields with its versions.
package protocol
