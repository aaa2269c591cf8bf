package cli

import (
	"slices"
	"strings"
	"testing"

	"github.com/spf13/pflag"
)

// testFlags are some flags of each sort.
func testFlags() *pflag.FlagSet {
	fs := pflag.NewFlagSet("test", pflag.ContinueOnError)
	fs.StringP("bootstrap", "b", "", "")
	fs.StringP("topic", "t", "", "")
	fs.StringP("partition", "p", "", "")
	fs.StringArrayP("header", "H", nil, "")
	fs.StringArrayP("property", "X", nil, "")
	fs.StringP("key-delimiter", "K", "", "")
	fs.StringP("compression", "z", "", "")
	fs.String("config", "", "")
	fs.BoolP("null", "Z", false, "")
	fs.BoolP("quiet", "q", false, "")
	return fs
}

// What a word is depends on the flag before it, not on what it looks like.
func TestWordsAreValuesBeforeTheyAreMistakes(t *testing.T) {
	for _, test := range []struct{ line, want string }{
		{"-H topic=orders -X topic=x topic=orders.txt", "--header=topic=orders --property=topic=x -- topic=orders.txt"},
		{"-H partition=3 --header quiet=1", "--header=partition=3 --header=quiet=1 --"},
		{"-Htopic=orders -Xacks=1 -tt", "--header=topic=orders --property=acks=1 --topic=t --"},
		{"-p -1 -t -t", "--partition=-1 --topic=-t --"},
		{"-K - -K -- -K: -K== -K=:", "--key-delimiter=- --key-delimiter=-- --key-delimiter=: --key-delimiter== --key-delimiter=: --"},
		{"-qZt x - a --topic=y b", "--quiet --null --topic=x --topic=y -- - a b"},
		{"-q -- --topic -t", "--quiet -- --topic -t"},
		{"--null true a", "--null=true -- a"},
		{"-qZ=false -q=true", "--quiet --null=false --quiet=true --"},
		{"-K =", "--key-delimiter== --"},
		// Other tools.
		{"--bootstrap-server h:1 --broker-list h:2 --producer.config f", "--bootstrap=h:1 --bootstrap=h:2 --config=f --"},
		{"--bootstrap-server=h:1 --producer-property acks=1", "--bootstrap=h:1 --property=acks=1 --"},
		{"--producer-props bootstrap.servers=h:1 acks=1 --topic t", "--property=bootstrap.servers=h:1 --property=acks=1 --topic=t --"},
		{"--compression-type zstd --transactional.id x", "--compression=zstd --property=transactional.id=x --"},
		{"--compression-codec --topic t", "--property=compression.type=gzip --topic=t --"},
		{"--compression-codec zstd --request-required-acks all", "--property=compression.type=zstd --property=acks=all --"},
		{"--batch-size 1 --max-block-ms 2", "--property=batch.size=1 --property=max.block.ms=2 --"},
		{"-Fconf -b h:1", "--config=conf --bootstrap=h:1 --"},
	} {
		w := readWords(testFlags(), ForeignSettings, strings.Fields(test.line))
		if got := strings.Join(w.args(), " "); got != test.want || w.mistake != nil {
			t.Errorf("%s\n is read as %s, %v\n want       %s", test.line, got, w.mistake, test.want)
		}
		// pflag sees the same.
		if err := testFlags().Parse(w.args()); err != nil && !strings.Contains(test.line, "x") {
			t.Errorf("%s: %v", test.line, err)
		}
	}
}

func TestMistakes(t *testing.T) {
	for _, test := range []struct{ line, want string }{
		{"-topic t", "-topic: a flag of more than one letter has two dashes: --topic"},
		{"-topic=t", "--topic"},
		{"-bootstrap-server h:1", "two dashes: --bootstrap-server"},
		{"--topik t", "did you mean --topic?"},
		{"-topik t", "did you mean --topic?"},
		{"-y", "there is no flag -y"},
		{"-qy", "there is no flag -y"},
		{"--xyzzy", "there is no flag --xyzzy"},
		{"-t", "-t/--topic needs an argument"},
		{"--bootstrap-server", "needs an argument"},
		{"--compression-gzip-level 3", "-X compression.gzip.level=…"},
		{"--linger_ms 3", "-X linger.ms=…"},
		{"--metadata.max.age.ms 3", "-X metadata.max.age.ms=…"},
		{"-C -b h:1", "does not consume"},
		{"--partitioner murmur2", "where the Java client puts them"},
	} {
		w := readWords(testFlags(), ForeignSettings, strings.Fields(test.line))
		if w.mistake == nil || !strings.Contains(w.mistake.Error(), test.want) {
			t.Errorf("%s: %v, want %q", test.line, w.mistake, test.want)
		}
	}
}

// A flag that stands where a value was due is told with whatever went wrong for it.
func TestAFlagTakenAsAValueIsTold(t *testing.T) {
	w := readWords(testFlags(), ForeignSettings, []string{"-t", "-b", "h:1"})
	if got := w.explain(Usagef("which cluster?")).Error(); got != "which cluster? (-b was taken as the value of -t)" {
		t.Errorf("explained as %q", got)
	}
	if !slices.Equal(w.plain, []string{"h:1"}) {
		t.Errorf("arguments = %q, want h:1", w.plain)
	}
}

// FuzzWords: whatever is typed is read to its end or refused, without a panic, and pflag reads the same.
func FuzzWords(f *testing.F) {
	for _, seed := range []string{"-b h:1 -t t", "-H topic=orders", "--producer-props a=b c", "-qZK=:", "-", "--", "-=", "--=", "-K", "--topic=", "-\xff"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, line string) {
		args := strings.Split(line, " ")
		w := readWords(testFlags(), ForeignSettings, args)
		if w.mistake != nil {
			if w.mistake.Error() == "" {
				t.Fatalf("%q: an error without words", args)
			}
			return
		}
		fs := testFlags()
		fs.Bool("help", false, "")
		err := fs.Parse(w.args())
		for _, f := range w.flags {
			if strings.HasPrefix(f, "--null=") || strings.HasPrefix(f, "--quiet=") {
				return // which may be neither true nor false
			}
		}
		if err != nil {
			t.Fatalf("%q is read as %q, which pflag refuses: %v", args, w.args(), err)
		}
		if !slices.Equal(fs.Args(), w.plain) {
			t.Fatalf("%q: arguments %q, want %q", args, fs.Args(), w.plain)
		}
	})
}
