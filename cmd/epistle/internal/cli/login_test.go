package cli

import "testing"

// A login module has secrets among its options, and switches whose names end alike.
func TestSecretsOfLoginModules(t *testing.T) {
	for jaas, want := range map[string]bool{
		`a.PlainLoginModule required username="alice" password="pencil";`:                                   true,
		`a.PlainLoginModule required username="alice" password = "pencil";`:                                 true,
		`a.PlainLoginModule required username="alice" password="${file:/run/secrets/kafka:password}";`:      false,
		`a.OAuthBearerLoginModule required clientSecret="s";`:                                               true,
		`a.IAMLoginModule required;`:                                                                        false,
		`a.IAMLoginModule required awsProfileName="orders" awsRoleArn="arn:aws:iam::1:role/r";`:             false,
		`a.IAMLoginModule required awsRoleArn="arn:x" awsRoleAccessKeyId="A" awsRoleSecretAccessKey="s";`:   true,
		`a.IAMLoginModule required awsRoleArn="arn:x" awsRoleSessionToken="s";`:                             true,
		`a.ScramLoginModule required username="id" tokenauth="true";`:                                       false,
		`a.Krb5LoginModule required useKeyTab=true storeKey=true keyTab="/etc/k.keytab" principal="alice";`: false,
		`a.Krb5LoginModule required useTicketCache=true;`:                                                   false,
	} {
		if got := len(exposed(map[string]string{"sasl.jaas.config": jaas})) == 1; got != want {
			t.Errorf("%s: is a secret: %v, want %v", jaas, got, want)
		}
	}
}
