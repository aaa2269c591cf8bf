package epistleprom

import "github.com/prometheus/client_golang/prometheus"

// metrics are all that there are: name, help and labels.
var metrics = []struct {
	name, help string
	labels     []string
}{
	{"info", "Always 1; what the producer is, is in the labels.", []string{"version", "transactional"}},

	{"records_sent_total", "Records that were acknowledged.", []string{"topic"}},
	{"records_failed_total", "Records that were taken and have failed. With written=maybe they may be in the log all the same.", []string{"topic", "reason", "written"}},
	{"records_refused_total", "Records that were not taken.", []string{"reason"}},
	{"records_retried_total", "Records that were written again.", []string{"topic", "reason"}},
	{"record_bytes_total", "Bytes of batches before compression, each time that they are written.", []string{"topic"}},
	{"batch_bytes_total", "Bytes of batches as written, after compression, each time.", []string{"topic"}},
	{"batches_sent_total", "Batches that were written, each time.", []string{"topic"}},
	{"batches_split_total", "Batches that were cut since they were too large for their topic.", []string{"topic"}},
	{"batches_expired_total", "Batches that have failed since delivery.timeout.ms passed.", []string{"topic"}},
	{"records_in_flight", "Records that have left their queue and have no outcome yet.", nil},
	{"oldest_record_age_seconds", "The age of the oldest record that has no outcome; 0 if there is none.", []string{"topic"}},

	{"batch_bytes", "Bytes of a batch as written.", nil},
	{"batch_records", "Records of a batch.", nil},
	{"compression_ratio", "Bytes of a batch after compression, divided by those before.", nil},
	{"record_delivery_seconds", "From the admission of a batch's oldest record to the acknowledgement.", nil},
	{"admission_wait_seconds", "How long Send has waited before it took a record, if it had to.", nil},
	{"queue_seconds", "From the admission of a batch's oldest record until the batch is written first.", nil},
	{"throttle_wait_seconds", "The part of that in which the broker had asked to be sent nothing, if there was one.", nil},
	{"in_flight_seconds", "From the beginning of a batch's write to its answer.", nil},

	{"request_seconds", "From the beginning of a request's write to its answer.", []string{"node_id", "api"}},
	{"requests_total", "Requests that were sent.", []string{"node_id", "api"}},
	{"request_errors_total", "Requests without an answer.", []string{"node_id", "api"}},
	{"requests_in_flight", "Requests that have no answer yet.", []string{"node_id"}},
	{"throttle_seconds_total", "How long brokers have asked to be sent nothing.", []string{"node_id"}},
	{"written_bytes_total", "Bytes written to the broker.", []string{"node_id"}},
	{"read_bytes_total", "Bytes read from the broker.", []string{"node_id"}},

	{"connections", "Connections that are open.", []string{"node_id"}},
	{"connects_total", "Connections that were made.", []string{"node_id"}},
	{"connect_errors_total", "Attempts to connect that have failed.", []string{"node_id", "stage"}},
	{"disconnects_total", "Connections that have ended.", []string{"node_id"}},
	{"connect_seconds", "From the beginning of an attempt to the connection.", nil},
	{"reauthentications_total", "Connections that were authenticated again.", nil},
	{"reauthentication_errors_total", "Attempts at that which have failed.", nil},

	{"buffer_bytes", "Bytes of buffer.memory in use.", nil},
	{"buffer_limit_bytes", "buffer.memory.", nil},
	{"buffer_waiters", "Calls that wait for room in buffer.memory.", nil},
	{"buffer_wait_seconds_total", "How long calls have waited for that.", nil},
	{"buffer_rejected_total", "Records that were not taken since there was no room.", nil},

	{"metadata_age_seconds", "The time since a broker last told of the cluster.", nil},
	{"metadata_refreshes_total", "Answers that told of the cluster.", nil},
	{"metadata_errors_total", "Requests for metadata without an answer of use.", nil},
	{"metadata_wait_seconds_total", "How long Send has waited for topics.", nil},
	{"epoch_bumps_total", "How often a partition was given a new producer epoch.", nil},

	{"transactions_total", "Transactions that have ended.", []string{"outcome"}},
	{"transaction_call_seconds_total", "How long transactional methods have taken.", []string{"call"}},
	{"transaction_calls_total", "Calls of transactional methods.", []string{"call"}},
	{"flush_seconds_total", "How long Flush has taken.", nil},
	{"callbacks_seconds", "How long all callbacks of a batch have taken.", nil},
	{"callbacks_waiting", "Batches whose callbacks have not run yet.", nil},
	{"callbacks_running_seconds", "How long the callbacks of the batch at hand have been running.", nil},
}

type descs map[string]*prometheus.Desc

func newDescs(namespace string, constant prometheus.Labels) descs {
	all := descs{}
	for _, m := range metrics {
		all[m.name] = prometheus.NewDesc(prometheus.BuildFQName(namespace, "", m.name), m.help, m.labels, constant)
	}
	return all
}

// labelsOf returns the labels of a metric.
func labelsOf(name string) []string {
	for i := range metrics {
		if metrics[i].name == name {
			return metrics[i].labels
		}
	}
	return nil
}

// of returns the description of a metric, which there must be.
func (d descs) of(name string) *prometheus.Desc {
	desc := d[name]
	if desc == nil {
		panic("epistleprom: no metric " + name)
	}
	return desc
}
