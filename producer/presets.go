package producer

// The presets name delivery models. Each returns a whole Config, to be adjusted like that of DefaultConfig.

// AtMostOnce returns the defaults without anything that could write a record twice: acks=0, retries=0 and no idempotence. The
// price is that records may be lost. A record counts as written once it is on the socket. Use it for figures that are stale a
// second later, not for anything that must arrive.
func AtMostOnce(bootstrap ...string) Config {
	c := DefaultConfig(bootstrap...)
	c.Acks = AcksNone
	c.Retries = 0
	c.EnableIdempotence = false
	return c
}

// AtLeastOnce returns the same as DefaultConfig: an acknowledged record is on every in-sync replica, and a failed one is sent
// again until DeliveryTimeout. Idempotence stays on, so the producer itself writes no record twice. The program does if it
// sends a record again after an error that says it may be written.
func AtLeastOnce(bootstrap ...string) Config {
	c := DefaultConfig(bootstrap...)
	c.Acks = AcksAll
	c.Retries = 2147483647
	c.EnableIdempotence = true
	return c
}

// ExactlyOnce returns the defaults with a transactional id. What is sent in a transaction is written once and as a whole, with
// the consumer offsets that belong to it, or read_committed consumers see nothing of it. The id must be the same after each
// restart of this instance, and no other instance may have it at the same time. New refuses an empty id.
func ExactlyOnce(transactionalID string, bootstrap ...string) Config {
	c := AtLeastOnce(bootstrap...)
	c.TransactionalID, c.exactlyOnce = transactionalID, true
	return c
}
