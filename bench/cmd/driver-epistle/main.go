// Driver-epistle sends with this repository's producer.
package main

import (
	"github.com/epistle-kafka/epistle/bench/driver"
	"github.com/epistle-kafka/epistle/bench/internal/epistle"
)

func main() { driver.Main("epistle", "github.com/epistle-kafka/epistle", epistle.Open) }
