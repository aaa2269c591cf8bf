package sender

import (
	"log/slog"
	"time"
)

// A headline is one kind of line in the log. docs/log.md lists all of them, and a test holds the two together.
type headline struct {
	text  string
	level slog.Level
}

func (h *headline) record(at time.Time, attrs ...slog.Attr) slog.Record {
	r := slog.NewRecord(at, h.level, h.text, 0)
	r.AddAttrs(attrs...)
	return r
}

// Connections.
var (
	lineConnected     = &headline{"connected", slog.LevelInfo}
	lineLost          = &headline{"connection lost", slog.LevelWarn}
	lineCannotConnect = &headline{"cannot connect", slog.LevelWarn}
	lineTurnedAway    = &headline{"cannot log in", slog.LevelError}
	lineNoCredentials = &headline{"no credentials", slog.LevelWarn}
	lineCredentials   = &headline{"there are credentials again", slog.LevelInfo}
	lineSilent        = &headline{"broker is silent", slog.LevelWarn}
	lineAnswers       = &headline{"broker answers again", slog.LevelInfo}
	lineThrottled     = &headline{"broker throttles this client", slog.LevelWarn}
	lineThrottledOver = &headline{"broker throttles no longer", slog.LevelInfo}
	lineRebootstrap   = &headline{"asking the bootstrap servers anew", slog.LevelWarn}
)

// Topics and partitions.
var (
	lineLeaderMoved      = &headline{"leader moved", slog.LevelInfo}
	lineLeaderless       = &headline{"no leader", slog.LevelWarn}
	lineLeaderFound      = &headline{"there is a leader again", slog.LevelInfo}
	lineTopicMissing     = &headline{"topic does not come", slog.LevelWarn}
	lineTopicThere       = &headline{"topic has come", slog.LevelInfo}
	linePartitionMissing = &headline{"partition does not come", slog.LevelWarn}
	linePartitionThere   = &headline{"partition has come", slog.LevelInfo}
	lineTopicAgain       = &headline{"topic was made again", slog.LevelWarn}
	lineOtherCluster     = &headline{"the cluster is another one", slog.LevelError}
	lineUntold           = &headline{"it is not known which cluster this is", slog.LevelWarn}
	lineTold             = &headline{"it is known which cluster this is", slog.LevelInfo}
)

// Records.
var (
	lineRetries     = &headline{"sending again", slog.LevelWarn}
	lineRetriesOver = &headline{"sending again is over", slog.LevelInfo}
	lineFailed      = &headline{"records failed", slog.LevelError}
	lineAborted     = &headline{"records of an aborted transaction", slog.LevelInfo}
	lineMemoryFull  = &headline{"buffer.memory is used up", slog.LevelWarn}
	lineMemoryFree  = &headline{"buffer.memory has room again", slog.LevelInfo}
)

// Metrics.
var (
	lineMetricsPushed  = &headline{"metrics are pushed to brokers", slog.LevelInfo}
	lineMetricsOver    = &headline{"metrics are pushed no longer", slog.LevelInfo}
	lineMetricsRefused = &headline{"metrics cannot be pushed", slog.LevelWarn}
	lineMetricsLeftOut = &headline{"metrics are left out of pushes", slog.LevelWarn}
)

// The producer.
var (
	lineIdentified   = &headline{"producer id given", slog.LevelInfo}
	lineUnidentified = &headline{"no producer id", slog.LevelWarn}
	lineRenewed      = &headline{"epoch renewed", slog.LevelInfo}
	lineTxnFailed    = &headline{"transaction failed", slog.LevelWarn}
	lineTxnHeldUp    = &headline{"transactional request is held up", slog.LevelWarn}
	lineTxnGoesOn    = &headline{"transactional request came through", slog.LevelInfo}
	lineTxnDead      = &headline{"producer can send no more", slog.LevelError}
	lineClosing      = &headline{"closing", slog.LevelInfo}
	lineClosed       = &headline{"closed", slog.LevelInfo}
	lineDropped      = &headline{"log lines were lost", slog.LevelWarn}
)
