package sender

import "log/slog"

// listen has every fourth history keep a log, and add up the failed records in it.
func (h *history) listen() {
	if h.seed%4 != 1 {
		return
	}
	h.core.news = newNews(h.core, func(l line) {
		h.tracef("log: %s", l.Message)
		if l.Message == lineFailed.text || l.Message == lineAborted.text {
			l.Attrs(func(a slog.Attr) bool {
				if a.Key == "records" {
					h.toldFailed += a.Value.Int64()
				}
				return true
			})
		}
	})
}

// checkNews: the log has told of every record that has failed.
func (h *history) checkNews() {
	if failed := h.core.published.failed.Load(); h.core.news != nil && h.toldFailed != failed {
		h.fail("the log has %d failed records, and there are %d", h.toldFailed, failed)
	}
}
