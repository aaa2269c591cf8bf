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
