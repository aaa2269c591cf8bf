package sender

import (
	"errors"
	"time"

	"github.com/epistle-kafka/epistle/metadata"
	"github.com/epistle-kafka/epistle/wire"
)

// A link is one connection to a node, or the attempts to have one.
type link struct {
	conn  conn
	busy  int     // calls not done
	dials []*dial // to connect, oldest first; none while there is a connection

	failures int           // of attempts and connections, since an answer last came
	timeouts int           // of these, attempts that used up their time
	hedges   int           // attempts beside another, since a connection was last made
	since    time.Time     // when the first of dials began, or one that has ended since
	took     time.Duration // to make the last connection; 0: there was none
	notUntil time.Time     // the next attempt
	lastErr  error
	made     int           // connections so far
	lacks    map[int16]int // by API key: which of the connections was the first that lacked it; see core.unsupported
	adds     bool          // Produce adds partitions to transactions
	span     int           // of batches that the broker at the other end remembers for each partition
	unheard  int           // dials in a row that were hung up on without a word: see wire.Error.Unheard
	asked    time.Duration // of the last throttling, what the broker has asked for
	quiet    quietTimes    // that were granted

	stale   int  // requests in flight that were sent before any connection was last lost; below 0: answers to later ones
	vouches bool // a later one has been answered, so conn still leads to the cluster that it led to
	unsure  bool // conn may lead to another cluster than those before: see doubtCluster

	opened time.Time          // when conn was made
	came   time.Time          // when something last came, on any connection
	heard  time.Time          // when something last came on conn, or was sent while nothing else was unanswered
	pause  time.Duration      // the longest recent time between two such moments; 0: nothing has come yet
	moved  *metadata.Snapshot // as of which movedFrom has looked
}

// A conn is what the core needs of a [wire.Conn].
type conn interface {
	Send(*wire.Call) bool
	Close(error)
	ThrottledUntil() time.Time
	Version(apiKey int16) (newest int16, ok bool)
	Features() (finalizedEpoch int64, finalized map[string]int16)
}

// A lane is what a connection is for. A broker answers the requests of one connection in order, so a slow acks=all must not
// hold up a metadata refresh.
type lane uint8

const (
	data    lane = iota // Produce
	control             // everything else
	lanes
)

// hear counts dials in a row that the other end has hung up on without an answer.
func (l *link) hear(err error) {
	var failed *wire.Error
	if errors.As(err, &failed) && failed.Unheard {
		l.unheard++
		return
	}
	l.unheard = 0
}
