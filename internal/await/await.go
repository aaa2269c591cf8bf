// Package await is what package producer lends to the command epistle: a wait that it does not export.
//
// Package producer sets the function when it is initialised, and nobody else does: whoever imports it finds it set. The producer
// is any here, since a package that producer imports cannot name its type.
package await

import "context"

// Partition waits until a topic has partition n, as a Send of a record that names it does, for as long as ctx allows. p is a
// *producer.Producer, which asks the cluster again and again. If the topic lacks the partition when ctx ends, the error wraps a
// *producer.NoSuchPartitionError.
var Partition func(ctx context.Context, p any, topic string, n int32) error
