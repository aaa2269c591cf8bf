package sender

import (
	"log/slog"

	"github.com/epistle-kafka/epistle/internal/telemetry"
)

// pushes tells what has changed about the metrics that are pushed.
func (n *news) pushes(before, now telemetry.Status) {
	if n == nil {
		return
	}
	instance := slog.String("instance", now.Instance.String())
	switch {
	case now.Refused != nil:
		n.say(lineMetricsRefused, subject{}, slog.Any("err", now.Refused))
	case now.Every == 0 && before.Every > 0:
		n.say(lineMetricsOver, subject{}, instance)
	case now.Every != before.Every, now.Wanted != before.Wanted:
		n.say(lineMetricsPushed, subject{}, instance, slog.Duration("interval", now.Every), slog.Int("prefixes", now.Wanted))
	}
}

// leavesOut tells what a push lacks.
func (n *news) leavesOut(push *telemetry.Push) {
	if n == nil {
		return
	}
	attrs := []slog.Attr{slog.Int("omitted", push.Omitted), slog.Int("twice", push.Twice)}
	if push.Twice > 0 {
		attrs = append(attrs, slog.String("name", push.Named))
	}
	n.say(lineMetricsLeftOut, subject{}, attrs...)
}
