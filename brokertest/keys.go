package brokertest

// The API keys of the requests that a broker of this package answers, for On and Count.
const (
	Produce                   int16 = 0
	ListOffsets               int16 = 2
	Metadata                  int16 = 3
	FindCoordinator           int16 = 10
	SaslHandshake             int16 = 17
	ApiVersions               int16 = 18
	CreateTopics              int16 = 19
	InitProducerID            int16 = 22
	AddPartitionsToTxn        int16 = 24
	AddOffsetsToTxn           int16 = 25
	EndTxn                    int16 = 26
	TxnOffsetCommit           int16 = 28
	DescribeConfigs           int16 = 32
	SaslAuthenticate          int16 = 36
	DescribeCluster           int16 = 60
	GetTelemetrySubscriptions int16 = 71
	PushTelemetry             int16 = 72
)

// versionRange is what a broker answers of one API, both ends included.
type versionRange struct{ min, max int16 }

// kafka4_4 are the versions that Apache Kafka 4.4.0 answers, of the APIs above.
func kafka4_4() map[int16]versionRange {
	return map[int16]versionRange{
		Produce: {3, 13}, ListOffsets: {1, 11}, Metadata: {0, 13}, FindCoordinator: {0, 6}, SaslHandshake: {0, 1},
		ApiVersions: {0, 5}, CreateTopics: {2, 7}, InitProducerID: {0, 5}, SaslAuthenticate: {0, 2},
		DescribeConfigs: {1, 4}, DescribeCluster: {0, 2},
		GetTelemetrySubscriptions: {0, 0}, PushTelemetry: {0, 0},
		// Brokers alone speak AddPartitionsToTxn 4 and 5. A client that does is cut off, as one that is not authorised to
		// act for the cluster should be.
		AddPartitionsToTxn: {0, 5}, AddOffsetsToTxn: {0, 4}, EndTxn: {0, 5}, TxnOffsetCommit: {0, 6},
	}
}

// kafka3_9 are the versions that Apache Kafka 3.9.1 answers, as far as they are kept here: it still takes older ones.
func kafka3_9() map[int16]versionRange {
	return map[int16]versionRange{
		Produce: {3, 11}, ListOffsets: {1, 9}, Metadata: {0, 12}, FindCoordinator: {0, 6}, SaslHandshake: {0, 1},
		ApiVersions: {0, 4}, CreateTopics: {2, 7}, InitProducerID: {0, 5}, SaslAuthenticate: {0, 2},
		DescribeConfigs: {1, 4}, DescribeCluster: {0, 1},
		GetTelemetrySubscriptions: {0, 0}, PushTelemetry: {0, 0},
		AddPartitionsToTxn: {0, 5}, AddOffsetsToTxn: {0, 4}, EndTxn: {0, 4}, TxnOffsetCommit: {0, 4},
	}
}

func features4_4() []feature {
	return []feature{
		{"eligible.leader.replicas.version", 0, 1, 1},
		{"group.version", 0, 1, 1},
		{"kraft.version", 0, 1, 0},
		{"metadata.version", 7, 33, 33},
		{"share.version", 0, 2, 2},
		{"streams.version", 0, 1, 1},
		{"transaction.version", 0, 2, 2},
	}
}

func features3_9() []feature {
	return []feature{
		{"kraft.version", 0, 1, 0},
		{"metadata.version", 1, 21, 21},
	}
}
