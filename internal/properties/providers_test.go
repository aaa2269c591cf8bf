package properties

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/epistle-kafka/epistle/internal/vectors"
)

// read resolves the lines of a file.
func read(text string, o Options) *Set {
	props, problems := Parse([]byte(text))
	return Resolve(props, problems, o)
}

// said is what the notices, and the problems, say in one text.
func said(s *Set) (notices, problems string) {
	for _, n := range s.Notices() {
		notices += n.Key + ": " + n.Text + "\n"
	}
	for _, p := range s.Problems() {
		problems += p.Key + " = " + p.Value + ": " + p.Rule + "\n"
	}
	return notices, problems
}

func writeFile(t *testing.T, path, text string) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return filepath.ToSlash(path)
}

const kafkaClass = "org.apache.kafka.common.config.provider."

// echo answers as the provider does with which Java's answers were recorded.
type echo struct{}

func (echo) lookup(path, key string) (string, error) {
	if key == "again" {
		return "${p:k}", nil
	}
	return "<" + path + "|" + key + ">", nil
}

// A reference is found where Java finds one, and what it brings is not looked into again.
func TestReferencesAreJavas(t *testing.T) {
	for _, row := range vectors.Read[struct{ Input, Output string }](t, "../../producer/testdata/java-references.json") {
		s := &Set{broken: map[string]bool{}}
		e := &entry{key: "client.id", value: row.Input}
		s.fill(e, map[string]provider{"p": echo{}}, map[string]bool{})
		if strings.Contains(row.Output, "missing") {
			continue // Java leaves it as it is; to be an error here
		}
		if e.value != trim(row.Output) {
			t.Errorf("%q: got %q, Java has %q", row.Input, e.value, row.Output)
		}
	}
}

func TestProvidersFillIn(t *testing.T) {
	dir := t.TempDir()
	secrets := writeFile(t, filepath.Join(dir, "secrets.properties"), "user=al\\u0069ce\npassword=hun ter2 \nid = from-a-file\n")
	writeFile(t, filepath.Join(dir, "mounted", "rack"), "eu-1a\n")
	environment := func(name string) (string, bool) { return "env-" + name, name == "BROKERS" }
	s := read(`config.providers=file, env , dir
config.providers.file.class=`+kafkaClass+`FileConfigProvider
config.providers.file.param.allowed.paths=`+filepath.ToSlash(dir)+`
config.providers.env.class=`+kafkaClass+`EnvVarConfigProvider
config.providers.env.param.allowlist.pattern=B.*
config.providers.dir.class=`+kafkaClass+`DirectoryConfigProvider
bootstrap.servers=${env:BROKERS}:9092
client.id=${file:`+secrets+`:id}-1
client.rack=${dir:`+filepath.ToSlash(dir)+`/mounted:rack}
my.own=${env:NOT_THERE}
`, Options{Environment: environment})
	notices, problems := said(s)
	if problems != "" {
		t.Fatal(problems)
	}
	for key, want := range map[string]string{"bootstrap.servers": "env-BROKERS:9092", "client.id": "from-a-file-1", "client.rack": "eu-1a"} {
		if got, _ := s.Value(key); got != want {
			t.Errorf("%s: got %q, want %q", key, got, want)
		}
	}
	if !strings.Contains(notices, `the file "rack"`) || !strings.Contains(notices, "ends in a newline, which is left out") || strings.Contains(notices, "eu-1a") {
		t.Errorf("got notices %s, want one of the newline, without the value", notices)
	}
}

// Java leaves a reference that leads nowhere as it is, and logs in with it. Here it is named, and the value is not.
func TestReferencesThatLeadNowhere(t *testing.T) {
	dir := t.TempDir()
	secrets := writeFile(t, filepath.Join(dir, "secrets.properties"), "password=hunter2\n")
	elsewhere := writeFile(t, filepath.Join(t.TempDir(), "x.properties"), "password=hunter2\n")
	broken := writeFile(t, filepath.Join(dir, "broken.properties"), "password=hunter2\nx=\\u12\n")
	large := writeFile(t, filepath.Join(dir, "large.properties"), "x="+strings.Repeat("x", maxProvided))
	class := "config.providers.p.class=" + kafkaClass
	file, mounted, env := class+"FileConfigProvider\n", class+"DirectoryConfigProvider\n", class+"EnvVarConfigProvider\n"
	allowed := "config.providers.p.param.allowed.paths=" + filepath.ToSlash(dir) + "\n"
	for _, test := range []struct{ config, value, key, want string }{
		{file, "${p:" + secrets + ":pasword}", "client.id", `the file has no key "pasword"`},
		{file, "${p:/nowhere/at/all:x}", "client.id", "the file cannot be read: no such file"},
		{file, "${p:" + filepath.ToSlash(dir) + ":x}", "client.id", "the file is a directory"},
		{file, "${p:" + large + ":x}", "client.id", "the file has more than 1048576 bytes"},
		{file, "${p:" + broken + ":password}", "client.id", `line 2 of the file has \u without four`},
		{file, "${p:x}", "client.id", "it must name a file"},
		{file, `${p:C:\\x:k}`, "client.id", "a path ends at its first colon"},
		{file + allowed, "${p:" + elsewhere + ":password}", "client.id", "allowed.paths does not allow it"},
		{file + allowed, "${p:" + filepath.ToSlash(dir) + "/../../" + filepath.Base(filepath.Dir(elsewhere)) + "/x.properties:password}", "client.id", "refers to"},
		{file + "config.providers.p.param.allowed.paths=etc\n", "${p:/x:y}", "config.providers.p.param.allowed.paths", `must be absolute paths: "etc" is not`},
		{file + "config.providers.p.param.allowed.paths=/nowhere/at/all\n", "${p:/x:y}", "config.providers.p.param.allowed.paths", "must be paths that exist"},
		{mounted, "${p:" + filepath.ToSlash(dir) + ":../x}", "client.id", "its last part must be the name of a file"},
		{mounted, "${p:" + filepath.ToSlash(dir) + ":missing}", "client.id", "the file cannot be read: no such file"},
		{mounted, "${p:x}", "client.id", "it must name a directory"},
		{env, "${p:NOT_THERE}", "client.id", `the environment has no variable "NOT_THERE"`},
		{env, "${p:path:HOME}", "client.id", "has no path"},
		{env + "config.providers.p.param.allowlist.pattern=KAFKA_.*\n", "${p:HOME}", "client.id", "allowlist.pattern does not allow it"},
		{env + "config.providers.p.param.allowlist.pattern=HOM\n", "${p:HOME}", "client.id", "allowlist.pattern does not allow it"},
		{env + "config.providers.p.param.allowlist.pattern=(\n", "${p:HOME}", "config.providers.p.param.allowlist.pattern", "must be a regular expression"},
		{"config.providers.p.class=com.example.Vault\n", "${p:x:y}", "config.providers.p.class", "is a Java class, which cannot run here"},
		{"", "${p:x:y}", "config.providers", `lists "p", which has no class`},
		{file, "${q:x:y}", "client.id", `config.providers does not list "q"`},
	} {
		s := read("bootstrap.servers=b:1\nconfig.providers=p\n"+test.config+"client.id="+test.value+"\n", Options{Environment: func(name string) (string, bool) { return "", name == "HOME" }})
		problems := s.Problems()
		if len(problems) != 1 || problems[0].Key != test.key || !strings.Contains(problems[0].Rule, test.want) || problems[0].Line < 2 {
			t.Errorf("%s%s:\n got %+v\nwant one problem of %s: %s", test.config, test.value, problems, test.key, test.want)
		}
		if _, all := said(s); strings.Contains(all, "hunter2") {
			t.Errorf("shows a secret: %s", all)
		}
	}
}

// Many references to a large file come to no more than a file of properties may hold.
func TestWhatReferencesBringIsBounded(t *testing.T) {
	large := writeFile(t, filepath.Join(t.TempDir(), "large.properties"), "x="+strings.Repeat("x", maxProvided-2))
	s := read("config.providers=p\nconfig.providers.p.class="+kafkaClass+"FileConfigProvider\nclient.id="+strings.Repeat("${p:"+large+":x}", 5)+"\n", Options{})
	if _, problems := said(s); !strings.Contains(problems, "what references bring is more than 4194304 bytes in all") {
		t.Errorf("got %.200s", problems)
	}
}

// Where nobody has set up a provider, a usual reference is no password, and everything else may be one.
func TestReferencesWithoutProviders(t *testing.T) {
	_, problems := said(read("client.id=${file:/run/hunter2:password}\n", Options{}))
	if want := "refers to ${file:…}, and config.providers is not set: set config.providers=file and config.providers.file.class="; !strings.Contains(problems, want) || strings.Contains(problems, "hunter2") {
		t.Errorf("got %q, want %q", problems, want)
	}
	if _, problems := said(read("client.id=a${b:c}\n", Options{})); problems != "" {
		t.Errorf("got %s, want it taken as it is", problems)
	}
}

// A value that a provider has brought is hidden, whatever it is for.
func TestProvidedValuesAreNeverShown(t *testing.T) {
	environment := func(string) (string, bool) { return "hunter2", true }
	s := read("config.providers=env\nconfig.providers.env.class="+kafkaClass+"EnvVarConfigProvider\nlinger.ms=${env:X}\nacks=${env:X}\nclient.dns.lookup=${env:X}\n", Options{Environment: environment})
	if _, problems := said(s); strings.Contains(problems, "hunter2") || len(s.Problems()) != 3 {
		t.Errorf("got %s, want three problems that do not show the value", problems)
	}
}

func TestProvidersThatNobodyNeeds(t *testing.T) {
	notices, problems := said(read("config.providers=v\nconfig.providers.v.class=com.example.Vault\nconfig.providers.w.class=x\nconfig.providers.v.param.y=z\n", Options{}))
	for _, want := range []string{"config.providers.v.class: has no effect", "config.providers.w.class: has no effect: config.providers does not list w", "config.providers.v.param.y: has no effect"} {
		if !strings.Contains(notices, want) {
			t.Errorf("got %s, want %s", notices, want)
		}
	}
	if problems != "" {
		t.Error(problems)
	}
}

// Whatever stands in a value, references are found or not, nothing is filled in twice, and no answer is shown.
func FuzzReferences(f *testing.F) {
	for _, row := range []string{"", "${p:k}", "${p:path:k}x${q:k}", "${p:${p:k}}", "${p:again}", "a\\${p:k}", "${p:\x00:\n}"} {
		f.Add(row)
	}
	f.Fuzz(func(t *testing.T, value string) {
		s := &Set{broken: map[string]bool{}}
		e := &entry{key: "client.id", value: value}
		s.fill(e, map[string]provider{"p": echo{}}, map[string]bool{})
		found := reference.FindAllStringSubmatch(value, -1)
		unknown := slices.DeleteFunc(slices.Clone(found), func(m []string) bool { return m[1] == "p" })
		if len(s.problems) != min(len(unknown), mostTold) {
			t.Errorf("%q: %d problems, want one for each of %q", value, len(s.problems), unknown)
		}
		var want strings.Builder // what is between references is untouched, and what they bring is not looked into
		end := 0
		for i, at := range reference.FindAllStringIndex(value, -1) {
			want.WriteString(value[end:at[0]])
			if end = at[1]; found[i][1] == "p" {
				text, _ := echo{}.lookup(found[i][2], found[i][3])
				want.WriteString(text)
			} else {
				want.WriteString(value[at[0]:at[1]])
			}
		}
		if want.WriteString(value[end:]); e.value != trim(want.String()) && s.filled <= MaxSize {
			t.Errorf("%q became %q, want %q", value, e.value, want.String())
		}
		if len(found) > len(unknown) && !e.hidden {
			t.Errorf("%q: what a provider has brought may be shown", value)
		}
	})
}
