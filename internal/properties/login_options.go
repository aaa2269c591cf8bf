package properties

import (
	"maps"
	"slices"
	"strings"

	"github.com/epistle-kafka/epistle/internal/shown"
	"github.com/epistle-kafka/epistle/sasl"
)

// passwordOptions has the options of the modules that log in with a password.
var passwordOptions = map[string][]string{
	"PlainLoginModule": {"username", "password"},
	"ScramLoginModule": {"username", "password", "tokenauth"},
}

// leaveOut removes the options that a module of passwords does not read, and tells of them. Java takes no notice of them, and
// files have them: serviceName, which is for Kerberos, or debug. It leaves an option that is near one of the module's, and all
// of them if the module lacks one that it needs: package sasl then refuses the login, and says which was probably meant.
func (s *Set) leaveOut(l sasl.Login) {
	module := simpleName(l.Module)
	known := passwordOptions[module]
	if known == nil || l.Options["username"] == "" || l.Options["password"] == "" {
		return
	}
	for _, option := range slices.Sorted(maps.Keys(l.Options)) {
		ofBrokers := strings.HasPrefix(option, "user_")
		if slices.Contains(known, option) || ofBrokers || nameMeant(option, known) != "" {
			continue
		}
		delete(l.Options, option)
		s.Notice(jaasKey, "option "+shown.Name(option)+" has no effect: "+module+" has "+strings.Join(known, ", "))
	}
}
