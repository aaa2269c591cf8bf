//go:build ignore

// Generate writes events.jsonl, the same each time: go run generate.go > events.jsonl
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"time"
)

type event struct {
	At       time.Time      `json:"at"`
	Event    string         `json:"event"`
	Customer string         `json:"customer"`
	Device   string         `json:"device,omitempty"`
	Data     map[string]any `json:"data,omitempty"`
}

type product struct {
	SKU   string
	Name  string
	Cents int
}

var products = []product{
	{"KT-1041", "Kettle, enamelled, 1.5 l", 4490}, {"TP-0007", "Teapot “Mary”, bone china", 3895},
	{"BK-2210", "Atlas of Remote Islands", 2800}, {"BK-2274", "Grundkurs Geigenbau", 5990},
	{"LM-0300", "Desk lamp, brass", 12900}, {"SH-4411", "Wool socks, 3 pairs", 2450},
	{"CF-0012", "Coffee, Yirgacheffe, 1 kg", 3190}, {"CF-0019", "Café torréfié, 250 g", 890},
	{"BY-9001", "Bicycle bell", 1250}, {"BY-9017", "Chain lube 100 ml", 995},
	{"GD-5550", "Seeds, tomato “Ochsenherz”", 349}, {"GD-5561", "Secateurs", 3999},
	{"EL-7770", "USB-C cable, 2 m", 1499}, {"EL-7781", "Noise-cancelling headphones", 24900},
	{"TY-3141", "Wooden train, 24 pieces", 5495}, {"TY-3150", "Puzzle, 1000 pieces: 富嶽三十六景", 2190},
}

var (
	cities   = []string{"Aarhus", "Bologna", "Cork", "Göteborg", "Kraków", "Lyon", "Nürnberg", "Porto", "Straßburg", "Tartu", "Zürich"}
	devices  = []string{"web", "web", "web", "ios", "ios", "android", "android", "tablet"}
	searches = []string{"lamp", "socks wool", "gift for a cyclist", "kaffee", "noise cancelling", "1000 piece puzzle", "tea pot", "usb c 2m", "garten", "“bell”"}
	praise   = []string{"Does what it should.", "Arrived a day early, well packed.", "The colour is nicer than in the picture.", "My daughter plays with it every day.", "Would buy again.", "Not cheap, but worth it."}
	blame    = []string{"Broke after a week.", "Smaller than I thought; read the measurements!", "The parcel was open when it came.", "Instructions only in French.", "Too loud."}
	carriers = []string{"DHL", "PostNord", "GLS", "La Poste", "InPost"}
)

func main() {
	const lines, customers = 4000, 320
	r := rand.New(rand.NewPCG(4, 1877))
	popular := rand.NewZipf(r, 1.2, 12, customers-1)
	var events []event
	start := time.Date(2026, time.March, 2, 6, 0, 0, 0, time.UTC)
	for session := 0; len(events) < lines; session++ {
		at := start.Add(time.Duration(r.IntN(5*24*3600)) * time.Second)
		events = append(events, visit(r, at, fmt.Sprintf("c-%05d", 10007+37*popular.Uint64()), session)...)
	}
	slices.SortStableFunc(events, func(a, b event) int { return a.At.Compare(b.At) })
	out := bufio.NewWriter(os.Stdout)
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	for _, e := range events[:lines] {
		if err := encoder.Encode(e); err != nil {
			panic(err)
		}
	}
	if err := out.Flush(); err != nil {
		panic(err)
	}
}

// visit is what one customer does from opening the shop to, perhaps, sending something back.
func visit(r *rand.Rand, at time.Time, customer string, session int) (events []event) {
	device := devices[r.IntN(len(devices))]
	say := func(wait time.Duration, name string, data map[string]any) {
		at = at.Add(wait + time.Duration(r.IntN(1000))*time.Millisecond)
		events = append(events, event{At: at, Event: name, Customer: customer, Device: device, Data: data})
	}
	think := func() time.Duration { return time.Duration(3+r.IntN(90)) * time.Second }

	say(0, "session_started", map[string]any{"session": session, "referrer": []any{nil, "newsletter", "search", "friend"}[r.IntN(4)]})
	if r.IntN(3) == 0 {
		say(think(), "searched", map[string]any{"query": searches[r.IntN(len(searches))], "hits": r.IntN(40)})
	}
	var cart []product
	for range 1 + r.IntN(5) {
		p := products[r.IntN(len(products))]
		say(think(), "product_viewed", map[string]any{"sku": p.SKU, "name": p.Name, "cents": p.Cents})
		if r.IntN(3) == 0 {
			cart = append(cart, p)
			say(think(), "cart_added", map[string]any{"sku": p.SKU, "quantity": 1 + r.IntN(3)})
		}
	}
	if len(cart) == 0 || r.IntN(4) == 0 {
		if len(cart) > 0 {
			say(think(), "cart_abandoned", map[string]any{"items": len(cart)})
		}
		return events
	}
	order := fmt.Sprintf("o-%06d", 400000+session)
	items, total := []map[string]any{}, 0
	for _, p := range cart {
		items = append(items, map[string]any{"sku": p.SKU, "name": p.Name, "cents": p.Cents})
		total += p.Cents
	}
	say(think(), "order_placed", map[string]any{"order": order, "items": items, "cents": total, "city": cities[r.IntN(len(cities))], "gift": r.IntN(9) == 0})
	for r.IntN(6) == 0 {
		say(think(), "payment_failed", map[string]any{"order": order, "reason": []string{"card_declined", "3ds_timeout", "limit"}[r.IntN(3)]})
	}
	say(think(), "payment_succeeded", map[string]any{"order": order, "cents": total, "method": []string{"card", "sepa", "invoice", "paypal"}[r.IntN(4)]})
	device = ""
	say(time.Duration(2+r.IntN(20))*time.Hour, "order_shipped", map[string]any{"order": order, "carrier": carriers[r.IntN(len(carriers))], "grams": 80 + r.IntN(4000)})
	say(time.Duration(12+r.IntN(60))*time.Hour, "order_delivered", map[string]any{"order": order})
	device = devices[r.IntN(len(devices))]
	switch r.IntN(5) {
	case 0:
		say(time.Duration(1+r.IntN(40))*time.Hour, "review_written", map[string]any{"sku": cart[0].SKU, "stars": 4 + r.IntN(2), "text": sentences(r, praise)})
	case 1:
		say(time.Duration(1+r.IntN(40))*time.Hour, "review_written", map[string]any{"sku": cart[0].SKU, "stars": 1 + r.IntN(3), "text": sentences(r, blame)})
		say(think(), "return_requested", map[string]any{"order": order, "sku": cart[0].SKU, "cents": cart[0].Cents, "note": nil})
	}
	return events
}

func sentences(r *rand.Rand, from []string) string {
	var b strings.Builder
	for i := range 1 + r.IntN(4) {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(from[r.IntN(len(from))])
	}
	return b.String()
}
