package producer

// The presets name delivery models. Each returns a whole Config, to be adjusted like that of DefaultConfig.

// AtMostOnce returns the defaults with everything switched off that could write a record twice, at the price of losing
// it: acks=0, retries=0 and, in so many words, no idempotence. A record counts as sent once it is on the socket.
// For figures that are stale a second later, not for anything that must arrive.
func AtMostOnce(bootstrap ...string) Config {
	c := DefaultConfig(bootstrap...)
	c.Acks = AcksNone
	c.Retries = 0
	c.EnableIdempotence = false
	return c
}

// AtLeastOnce returns the defaults: an acknowledged record is on every in-sync replica, and a failed one is sent again
// until DeliveryTimeout. Idempotence stays on, since it costs nothing and keeps the producer itself from writing a
// record twice; a second copy comes about only if the application sends a record again whose error says that
// it may have been written.
func AtLeastOnce(bootstrap ...string) Config {
	c := DefaultConfig(bootstrap...)
	c.Acks = AcksAll
	c.Retries = 2147483647
	c.EnableIdempotence = true
	return c
}

// ExactlyOnce returns the defaults with a transactional id: what is sent in a transaction is written once and as a whole, or
// not at all as far as read_committed consumers see, together with the consumer offsets that belong to it. The id must be
// the same after each restart of this instance, and no other instance may have it at the same time. New refuses one that is
// empty, since without it there are no transactions.
func ExactlyOnce(transactionalID string, bootstrap ...string) Config {
	c := AtLeastOnce(bootstrap...)
	c.TransactionalID, c.exactlyOnce = transactionalID, true
	return c
}
