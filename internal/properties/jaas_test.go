package properties

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/epistle-kafka/epistle/internal/vectors"
	"github.com/epistle-kafka/epistle/sasl"
)

// A sasl.jaas.config means to us what it means to Java's clients, however it is written.
func TestJAASIsJavas(t *testing.T) {
	deviations := map[string]string{
		"M required a=\"b\nc=d;": "Java takes the first line of a quoted text for all of it, which is how a secret with a newline at its end loses the rest",
	}
	type row struct {
		Input, Module, Error string
		Options              map[string]string
	}
	for _, row := range vectors.Read[row](t, "../../producer/testdata/java-jaas.json") {
		login, err := parseJAAS(row.Input)
		if (err != nil) != (row.Error != "" || deviations[row.Input] != "") {
			t.Errorf("%q: got %v, Java has %q", row.Input, err, row.Error)
			continue
		}
		if err == nil && (login.Module != row.Module || !maps.Equal(texts(login.Options), row.Options)) {
			t.Errorf("%q:\n got %q %q\nwant %q %q", row.Input, login.Module, texts(login.Options), row.Module, row.Options)
		}
	}
}

func texts(options map[string]sasl.Secret) map[string]string {
	m := make(map[string]string, len(options))
	for name, value := range options {
		m[name] = string(value)
	}
	return m
}

// What is wrong is said with its place, what to do about it, and nothing of a password.
func TestJAASErrors(t *testing.T) {
	for text, want := range map[string]string{
		``:                                 "is empty: write the class of a login module",
		`= required;`:                      "at character 1 it must begin with the class of a login module",
		`Plain username="alice";`:          "at character 7 it must have a flag after the class: required",
		`KafkaClient { Plain required; };`: "at character 13 it has a section in braces, as a file of JAAS has",
		`Plain required username="alice"`:  "at character 32, after the option username, it ends without a semicolon",
		`Plain required username=alice password=12345;`:         "at character 40, after the option password, it must have a value that does not begin with a digit",
		`Plain required password=@hunter2;`:                     `at character 25, after the option password, it must have a value in quotes here`,
		`Plain required password=hun@ter2;`:                     `at character 28, after the option password, it must have the name of an option, or a semicolon`,
		`Plain required password="hun"ter2" ;`:                  `at character 34, after the option password, it has a " right behind a value, and one before it is missing: a value has a " at its beginning and one at its end, and inside of it \" for a " and \\ for a \`,
		`Plain required password=hunter 2;`:                     `at character 32, after the option password, it must have the name of an option`,
		`Plain required password="hunter2;`:                     `at character 25, after the option password, it begins a quoted text that does not end`,
		"Plain required password=\"hunter2\n\" username=alice;": `at character 25, after the option password, it begins a quoted text that is not over at the end of its line`,
		`Plain required keyTab=/etc/hunter2.keytab;`:            `at character 43, after the option keyTab, it must have a value in quotes here`,
		`Plain required a=b; Other required;`:                   `at character 21 it goes on after the semicolon: it must have one login module`,
		`Plain required /* a=b;`:                                `at character 16 it begins a comment that does not end`,
		`Plain`:                                                 "at character 6 it has a class alone",
		`Plain;`:                                                "at character 6 it has a class alone",
		`"Plain"`:                                               "at character 8 it has a class alone",
		`Plain required`:                                        "at character 15 it ends without a semicolon",
		`Plain mandatory;`:                                      "at character 7 it must have a flag after the class: required",
		`required username=alice password="hunter2";`:           "at character 1 it begins with a flag: the class of a login module comes before it",
		`username=alice password="hunter2";`:                    "at character 9 it has an = after its first word: it must begin with the class of a login module",
		`"Plain required password='hunter2';"`:                  "at character 1 it has quotes around more than the class",
		`"Plain required password="hunter2";"`:                  "at character 1 it has quotes around more than the class",
		`Plain required username=alice, password=hunter2;`:      "at character 30, after the option username, it has a comma",
		`Plain required username=alice; password=hunter2;`:      "at character 32 it goes on after the semicolon: it must have one login module. The semicolon goes behind the last option",
		`Plain required password=hunter2";`:                     `at character 32, after the option password, it has a " right behind a value, and one before it is missing`,
		`Plain required username='alice password='hunter2';`:    `at character 49, after the option username, it has a ' right behind a value`,
		`Plain required username=alice" password="hunter2";`:    `at character 30, after the option username, it has a " right behind a value`,
		"Plain required \\\nusername=alice password=hunter2;":   `at character 16 it has a \ outside of quotes`,
		`Plain required password=hunter2\;`:                     `at character 32, after the option password, it has a \ outside of quotes`,
		`Plain required hunter2=x y;`:                           `at character 27 it must have an = here`,
	} {
		_, err := parseJAAS(text)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s:\n got %v\nwant %s", text, err, want)
		} else if strings.Contains(err.Error(), "hunter") || strings.Contains(err.Error(), "ter2") {
			t.Errorf("%s: shows a password: %v", text, err)
		}
	}
}

// Whatever stands there, it is taken or refused; what is taken reads the same when it is written in the plainest way; and what
// is refused shows nothing of what it holds.
func FuzzJAAS(f *testing.F) {
	for _, seed := range []string{
		"", "M required;", `M required username="a" password='b\'c' d=e.f;`, "M required // c\n a=b;", "M required a=\"\\101\\n\";", `M required a="`, "M required a=/b;\n;", "1 2 3;", "M required a=b; N required;",
	} {
		f.Add(seed, "hunter2-hunter2")
	}
	f.Fuzz(func(t *testing.T, text, secret string) {
		if !utf8.ValidString(text) {
			return // a file's text is made valid before
		}
		login, err := parseJAAS(text)
		if err == nil {
			again, err := parseJAAS(writtenLogin(login))
			if err != nil || again.Module != login.Module || !maps.Equal(again.Options, login.Options) {
				t.Errorf("%q is %q, which reads as %q, %v", text, writtenLogin(login), texts(again.Options), err)
			}
		}
		if len(secret) < 10 || strings.ContainsAny(secret, " ") {
			return
		}
		if _, err := parseJAAS(text + secret); err != nil && strings.Contains(err.Error(), secret) && !strings.Contains(jaasMessages, secret) {
			t.Errorf("%q shows %q", err, secret)
		}
	})
}

// jaasMessages is what the errors say by themselves.
var jaasMessages = func() string {
	var all []string
	for _, text := range []string{"", "=", "M", "M required a", "M required a=1", "M required a=,", "M required a=\"", "M required a=\"\n", "M required /*", "M required; N", "M required; #", "M required a=b, c=d", "M {", "M;", "required a", "a=", "'M a'", "M required a=b'", "M \\", "M a"} {
		_, err := parseJAAS(text)
		all = append(all, err.Error())
	}
	return strings.Join(all, " ")
}()

func writtenLogin(login sasl.Login) string {
	quoted := func(s string) string {
		return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`, "\r", `\r`).Replace(s) + `"`
	}
	var b strings.Builder
	b.WriteString(quoted(login.Module) + " required")
	for _, name := range slices.Sorted(maps.Keys(login.Options)) {
		b.WriteString(" " + quoted(name) + "=" + quoted(string(login.Options[name])))
	}
	return b.String() + ";"
}
