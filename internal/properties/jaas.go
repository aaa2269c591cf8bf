package properties

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/epistle-kafka/epistle/sasl"
)

// parseJAAS reads the one entry of a sasl.jaas.config: a class, a flag, options, and a semicolon, in the syntax that Java's
// clients take. Its errors say where, in characters from 1, and what is wrong, and show nothing that may be a secret.
//
// A quoted value that goes on in the next line is refused. Java would take the first line for the whole value.
func parseJAAS(text string) (sasl.Login, error) {
	p := &jaasParser{scanner: jaasScanner{text: []rune(text)}}
	login, err := p.entry()
	if err == nil {
		err = p.nothingElse()
	}
	if err != nil {
		return sasl.Login{}, err
	}
	return login, nil
}

type jaasParser struct {
	scanner jaasScanner
	token   jaasToken // the last one that was read
	tight   bool      // whether it stands right behind a text
	option  string    // the last option that was read, if its name is no secret
}

// next reads a token. A value may be in two kinds of quotes; everything else is bare.
func (p *jaasParser) next() error {
	wasText, end := p.token.text(), p.scanner.pos
	p.token = p.scanner.next()
	p.tight = wasText && p.token.at == end+1
	switch p.token.kind {
	case jaasMark:
		if p.token.mark == '\\' {
			return p.fail("has a \\ outside of quotes: only in a file does it join two lines, as the last character of the first; a value that has one goes in quotes")
		}
	case jaasOpenQuote:
		if p.tight {
			return p.strayQuote()
		}
		return p.fail("begins a quoted text that does not end: end it with %c, and inside of it write \\%c for a %c and \\\\ for a \\", p.token.mark, p.token.mark, p.token.mark)
	case jaasOpenLine:
		return p.fail("begins a quoted text that is not over at the end of its line: write \\n where a line is to end; often it is the newline at the end of a file that a secret was taken from")
	case jaasOpenComment:
		return p.fail("begins a comment that does not end: put */ after it, or quote a value that has /* in it")
	}
	return nil
}

// strayQuote refuses the quote that the current token begins with. It was meant to end a value.
func (p *jaasParser) strayQuote() error {
	return p.fail("has a %c right behind a value, and one before it is missing: a value has a %c at its beginning and one at its end, and inside of it \\%c for a %c and \\\\ for a \\",
		p.token.mark, p.token.mark, p.token.mark, p.token.mark)
}

func (p *jaasParser) fail(format string, args ...any) error {
	where := fmt.Sprintf("at character %d", p.token.at)
	if p.option != "" {
		where += ", after the option " + p.option + ","
	}
	return fmt.Errorf("%s it "+format, append([]any{where}, args...)...)
}

func (p *jaasParser) entry() (sasl.Login, error) {
	login := sasl.Login{Options: map[string]sasl.Secret{}}
	if err := p.next(); err != nil {
		return login, err
	}
	if p.token.kind == jaasEnd {
		return login, errors.New("is empty: write the class of a login module, required, options and a semicolon, such as " + jaasExample)
	}
	if !p.token.text() {
		return login, p.fail("must begin with the class of a login module, such as %s", jaasExample)
	}
	login.Module = p.token.value
	if err := p.flag(); err != nil {
		return login, err
	}
	for {
		if err := p.next(); err != nil {
			return login, err
		}
		switch p.token.kind {
		case jaasEnd:
			return login, p.fail("ends without a semicolon: put one after the last option. In a file, a line that goes on in the next one ends in \\, with no blank behind it; and an unquoted / begins a comment, up to the end of its line")
		case jaasMark:
			if p.token.mark == ';' {
				return login, nil
			}
		}
		if err := p.assignment(&login); err != nil {
			return login, err
		}
	}
}

// flag reads what stands after the first token, which is taken for a class.
func (p *jaasParser) flag() error {
	first := p.token
	if err := p.next(); err != nil {
		return err
	}
	switch {
	case p.token.text() && isJAASFlag(p.token.value):
		return nil
	case first.kind == jaasQuoted && strings.ContainsAny(first.value, " \t"):
		p.token = first
		return p.fail("has quotes around more than the class")
	case isJAASFlag(first.value):
		p.token = first
		return p.fail("begins with a flag: the class of a login module comes before it, such as %s", jaasExample)
	case p.token.kind == jaasEnd, p.token.kind == jaasMark && p.token.mark == ';':
		return p.fail("has a class alone: a flag, options and a semicolon come after it, such as %s", jaasRest)
	case p.token.kind == jaasMark && p.token.mark == '=':
		return p.fail("has an = after its first word: it must begin with the class of a login module, such as %s", jaasExample)
	case p.token.kind == jaasMark && p.token.mark == '{':
		return p.fail("has a section in braces, as a file of JAAS has: write what is between the braces alone")
	}
	return p.fail("must have a flag after the class: required")
}

func isJAASFlag(word string) bool {
	return slices.Contains([]string{"required", "requisite", "sufficient", "optional"}, strings.ToLower(word))
}

// assignment reads an option from its name on, which is the current token.
func (p *jaasParser) assignment(login *sasl.Login) error {
	if p.token.kind == jaasMark && p.token.mark == ',' {
		return p.fail("has a comma: options are divided by blanks, and a value with a comma goes in quotes")
	}
	if !p.token.text() {
		return p.fail("must have the name of an option, or a semicolon: a value with anything but letters, digits, dots, dashes, underscores and dollars goes in quotes")
	}
	first, tight := p.token, p.tight
	name := first.value
	if err := p.next(); err != nil {
		return err
	}
	if p.token.kind != jaasMark || p.token.mark != '=' {
		if tight && first.kind == jaasQuoted {
			p.token = first
			return p.strayQuote()
		}
		return p.fail("must have an = here, after the name of an option: a value with blanks, or with a quote that has no \\ in front, is not taken as one")
	}
	p.option = ""
	if wellKnown(name) {
		p.option = name
	}
	if err := p.next(); err != nil {
		return err
	}
	switch {
	case p.token.text():
		login.Options[name] = sasl.Secret(p.token.value)
		return nil
	case p.token.kind == jaasNumber:
		return p.fail("must have a value that does not begin with a digit, a dot or a dash, or one in quotes: option=\"…\"")
	}
	return p.fail("must have a value in quotes here: option=\"…\"")
}

// nothingElse demands that the entry is the only one: a client logs in once.
func (p *jaasParser) nothingElse() error {
	p.option = ""
	if err := p.next(); err != nil {
		return err
	}
	if p.token.kind == jaasMark && p.token.mark == '#' {
		return p.fail("goes on after the semicolon with a #: a comment stands in a line of its own, and a semicolon in a value goes in quotes")
	}
	if p.token.kind != jaasEnd {
		return p.fail("goes on after the semicolon: it must have one login module. The semicolon goes behind the last option, and one in a value goes in quotes")
	}
	return nil
}

const (
	jaasRest    = `required username="…" password="…";`
	jaasExample = "org.apache.kafka.common.security.plain.PlainLoginModule " + jaasRest
)

// wellKnown reports whether a word is the usual name of an option. A word that is not may be a part of a value that was not
// quoted.
func wellKnown(name string) bool {
	switch name {
	case "username", "password", "tokenauth", "clientId", "clientSecret", "scope", "useKeyTab", "keyTab", "principal", "storeKey",
		"useTicketCache", "ticketCache", "renewTGT", "doNotPrompt", "serviceName", "debug", "awsProfileName", "awsRoleArn", "awsDebugCreds":
		return true
	}
	return strings.HasPrefix(name, "unsecuredLogin") || strings.HasPrefix(name, "extension_") || strings.HasPrefix(name, "ssl.")
}
