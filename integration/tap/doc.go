// Package tap stands between clients and brokers. It counts by client what each has written and read, to the request, the
// record and the byte, and it has requests to produce fail as it is told to. It decodes with franz-go's messages and with what
// is in the header of a batch, and shares no code with this library: what a client says of itself is held against it.
//
// Nothing that a client has written is lost to the count: a connection that the tap ends it ends for writing alone, and reads
// on until the client has closed it.
package tap
