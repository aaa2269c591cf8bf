package sender

type liveness struct{}
