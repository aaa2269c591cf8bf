package gssapi_test

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/epistle-kafka/epistle/sasl"
	"github.com/epistle-kafka/epistle/sasl/gssapi"
)

// A client that logs in by a password. Nothing of the network is needed to make it.
func ExampleNew() {
	dir, err := os.MkdirTemp("", "gssapi")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	conf := filepath.Join(dir, "krb5.conf")
	if err := os.WriteFile(conf, []byte("[libdefaults]\n default_realm = EXAMPLE.TEST\n"), 0o600); err != nil {
		fmt.Println(err)
		return
	}
	mechanism, err := gssapi.New(gssapi.Config{
		ServiceName: "kafka",
		Principal:   "orders",
		Password:    "not shown",
		Krb5Conf:    conf,
	})
	fmt.Println(mechanism, err)
	// Output: GSSAPI as orders to kafka <nil>
}

// A Java client's login module, as the reader of properties hands it over.
func ExampleFromSettings() {
	cfg, err := gssapi.FromSettings(&sasl.Settings{
		Mechanism: "GSSAPI",
		Login: sasl.Login{
			Module:  "com.sun.security.auth.module.Krb5LoginModule",
			Options: map[string]sasl.Secret{"useKeyTab": "true", "keyTab": "/etc/security/orders.keytab", "principal": "orders@EXAMPLE.TEST"},
		},
		Keys: map[string]string{"sasl.kerberos.service.name": "kafka"},
	})
	fmt.Println(cfg.ServiceName, cfg.Principal, cfg.Keytab, err)
	// Output: kafka orders@EXAMPLE.TEST /etc/security/orders.keytab <nil>
}
