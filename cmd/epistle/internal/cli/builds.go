package cli

import (
	"fmt"
	"regexp"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/epistle-kafka/epistle/internal/properties"
	"github.com/epistle-kafka/epistle/sasl"
)

// apart are the mechanisms that are modules of their own. A build of this program has one if it imports its module: fullBuild
// imports all of them.
var apart = func() (apart []properties.Mechanism) {
	for _, m := range properties.Mechanisms() {
		if m.Module != "" {
			apart = append(apart, m)
		}
	}
	return apart
}()

// loginBy says how one logs in by these, since no password is asked for.
var loginBy = map[string]string{
	"GSSAPI":      "it takes the keytab of -X sasl.kerberos.principal=NAME -X sasl.kerberos.keytab=FILE, or without a keytab the ticket that kinit has got",
	"AWS_MSK_IAM": "it takes the credentials that AWS's tools find, such as those of the profile that AWS_PROFILE names",
}

// fullBuild is the command that has all mechanisms: it is the path of a module, and of the package at its root.
const fullBuild = "github.com/epistle-kafka/epistle/cmd/epistle/full/epistle"

// Lacking lists the mechanisms that this build lacks, and fullBuild has.
func Lacking() (mechanisms []string) {
	for _, a := range apart {
		if sasl.Lookup(a.Name) == nil {
			mechanisms = append(mechanisms, a.Name)
		}
	}
	return mechanisms
}

// HowToGetAll is a sentence without its full stop: it has the command that builds the program with all mechanisms.
func HowToGetAll() string {
	info, _ := debug.ReadBuildInfo()
	return howToGetAll(info)
}

// howToGetAll is HowToGetAll for a build. Its source is either on the user's machine or published. Without information it is
// taken to be on the machine.
func howToGetAll(info *debug.BuildInfo) string {
	if info == nil || info.Main.Sum == "" { // only a module that was downloaded has a checksum
		return "An epistle that has all mechanisms is made in a clone of the repository, by: go build -C cmd/epistle/full/epistle -o ../../../../bin/"
	}
	version := "latest"
	if release.MatchString(info.Main.Version) {
		version = info.Main.Version
	}
	return fmt.Sprintf("An epistle that has all mechanisms is made by: go install %s@%s", fullBuild, version)
}

// release matches the versions under which all modules of the repository are published.
var release = regexp.MustCompile(`^v\d+\.\d+\.\d+(-[a-z]+(\.\d+)?)?$`)

// forUsers rewrites a rule that is advice for those who write a program. Its users need another build where a mechanism is
// lacking, and have a flag for who logs in.
func forUsers(rule string) string {
	if logsInByPassword(rule) {
		rule = strings.Replace(rule, properties.MissingLogin, properties.MissingLogin+": name the user with --user", 1)
	}
	for _, a := range apart {
		rule = strings.Replace(rule, fmt.Sprintf("It comes with a module of its own: import _ %q", a.Module), HowToGetAll(), 1)
	}
	return rule
}

// logsInByPassword reports whether a rule about a login is one about a user with a password, or may come to be one.
func logsInByPassword(rule string) bool {
	return strings.HasPrefix(rule, properties.NoMechanism) || slices.ContainsFunc(properties.Mechanisms(), func(m properties.Mechanism) bool {
		return withPassword[m.Name] != nil && strings.Contains(rule, m.Example)
	})
}
