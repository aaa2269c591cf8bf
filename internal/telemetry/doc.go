// Package telemetry is a client's part in KIP-714: it decides when brokers are asked which metrics they want, when metrics are
// pushed to them, and makes what is pushed.
//
// It is passive: it reads no clock, starts no goroutine and knows no connection. A [Reporter] is told the time and the brokers'
// answers, and says what is due. A [Push] makes the request of one push, which may take a while, and may be done elsewhere.
//
//	Start ──► Subscribe is due ──► Subscribing ──► Subscribed ──► nothing is wanted: again after the interval
//	              ▲                                    │
//	              │ refused, lost, or changed          ▼ after 0.5 to 1.5 of the interval, then after each interval
//	              └──────── Pushed, Failed ◄── Pushing ◄── Collect, Push.Encode ◄── Push is due
//
// The names of metrics, the answers to errors and the waits are those of Java's client 4.4. What differs:
//
//   - A counter's difference goes back into the next push where a push was refused or not sent. It is not counted twice where
//     no answer came: then it may have arrived. Java's client loses it in each of these cases.
//   - A metric that has no value is left out. Java's client pushes NaN.
//   - What is larger than the broker takes is cut: the metrics with the most points go last.
//   - Requests that are lost are made again after twice the time, and again twice, up to an hour.
//   - An answer to the first request that wants another at once is not obeyed: it would have no end.
//   - The last push, at the end, is made whenever there is a subscription.
package telemetry
