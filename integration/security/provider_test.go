package security

import (
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/epistle-kafka/epistle/integration/identity"
)

// A provider is an identity provider at an address, which also has pages that are no endpoint for tokens.
type provider struct {
	*httptest.Server
	*identity.Provider
}

func newProvider() (*provider, error) {
	p := &provider{}
	var err error
	if p.Provider, err = identity.NewProvider(); err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.Handle("/jwks", p.Provider)
	mux.Handle("/token", p.Provider)
	mux.HandleFunc("/login", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprint(w, "<html>Please log in</html>")
	})
	mux.HandleFunc("/broken", func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "no database", http.StatusServiceUnavailable)
	})
	mux.HandleFunc("/slow", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	p.Server = httptest.NewServer(mux)
	p.Issuer = p.URL
	return p, nil
}
