package gssapi

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/jcmturner/gokrb5/v8/config"
)

// defaultKrb5Conf is where MIT's library and Java look on Unix.
const defaultKrb5Conf = "/etc/krb5.conf"

// mostIncludes bounds how deep files may include each other.
const mostIncludes = 8

// krb5ConfFiles says which files make the configuration: the one that was set, else those of $KRB5_CONFIG, which may list
// several, else /etc/krb5.conf.
func krb5ConfFiles(set string) []string {
	if set != "" {
		return []string{set}
	}
	if env := os.Getenv("KRB5_CONFIG"); env != "" {
		return filepath.SplitList(env)
	}
	return []string{defaultKrb5Conf}
}

// loadKrb5Conf reads the files as one. Those that are not there are left out, as MIT's library does, if another is.
func loadKrb5Conf(files []string) (*config.Config, error) {
	var text krb5Text
	var missing []error
	for _, file := range files {
		if err := text.read(file, 0); errors.Is(err, fs.ErrNotExist) {
			missing = append(missing, err)
		} else if err != nil {
			return nil, fmt.Errorf("read krb5.conf: %w", err)
		}
	}
	if len(missing) == len(files) {
		return nil, fmt.Errorf("read krb5.conf: %w (name the file in Krb5Conf, or in the environment's KRB5_CONFIG)", errors.Join(missing...))
	}
	var conf *config.Config
	err := guarded("krb5.conf", func() (err error) {
		conf, err = config.NewFromString(text.String())
		if _, ok := err.(config.UnsupportedDirective); ok {
			err = nil // version 4 of Kerberos: it says nothing to version 5
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read krb5.conf (%s): %w", strings.Join(files, ", "), err)
	}
	if !text.says("dns_lookup_kdc") {
		conf.LibDefaults.DNSLookupKDC = true // MIT's default
	}
	return conf, narrowTypes(conf)
}

// narrowTypes leaves those encryption types whose wrap tokens are of RFC 4121 to the session keys of services. A KDC uses
// one of them for any service that knows AES; the key of the ticket itself may be of any type.
func narrowTypes(conf *config.Config) error {
	legacy := func(id int32) bool { return !isAES(id) }
	conf.LibDefaults.DefaultTGSEnctypeIDs = slices.DeleteFunc(slices.Clone(conf.LibDefaults.DefaultTGSEnctypeIDs), legacy)
	if len(conf.LibDefaults.DefaultTGSEnctypeIDs) == 0 {
		return fmt.Errorf("krb5.conf: default_tgs_enctypes names no AES (%q): name aes256-cts or aes128-cts, or leave it out",
			strings.Join(conf.LibDefaults.DefaultTGSEnctypes, " "))
	}
	return nil
}

// krb5Text gathers a configuration by section. gokrb5 knows neither include nor a section that comes twice, and trips over
// blocks inside the block of a realm; none of what it uses is in such a block.
type krb5Text struct {
	sections map[string][]string
	names    []string
}

var (
	krb5Section = regexp.MustCompile(`^\s*\[([^\]]+)\]`)
	krb5Include = regexp.MustCompile(`^\s*(include|includedir)\s+(\S.*?)\s*$`)
	krb5Snippet = regexp.MustCompile(`^([A-Za-z0-9_-]+|[^.].*\.conf)$`)
)

func (k *krb5Text) read(file string, depth int) error {
	if depth > mostIncludes {
		return fmt.Errorf("%s: files include each other more than %d deep", file, mostIncludes)
	}
	content, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	section, blocks := "", 0
	for line := range strings.Lines(string(content)) {
		line = strings.TrimRight(line, "\r\n")
		if at := strings.IndexAny(line, "#;"); at >= 0 {
			line = line[:at]
		}
		if include := krb5Include.FindStringSubmatch(line); include != nil {
			if err := k.include(include[1], include[2], depth); err != nil {
				return err
			}
			continue
		}
		if head := krb5Section.FindStringSubmatch(line); head != nil {
			section, blocks = strings.ToLower(head[1]), 0
			continue
		}
		before := blocks
		blocks = max(blocks+strings.Count(line, "{")-strings.Count(line, "}"), 0)
		most := 0
		if section == "realms" {
			most = 1
		}
		if max(before, blocks) <= most && strings.TrimSpace(line) != "" {
			k.add(section, line)
		}
	}
	return nil
}

func (k *krb5Text) include(kind, path string, depth int) error {
	if kind == "include" {
		return k.read(path, depth+1)
	}
	entries, err := os.ReadDir(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	} else if err != nil {
		return err
	}
	for _, entry := range entries {
		if entry.IsDir() || !krb5Snippet.MatchString(entry.Name()) {
			continue
		}
		if err := k.read(filepath.Join(path, entry.Name()), depth+1); err != nil {
			return err
		}
	}
	return nil
}

func (k *krb5Text) add(section, line string) {
	if k.sections == nil {
		k.sections = map[string][]string{}
	}
	if _, known := k.sections[section]; !known {
		k.names = append(k.names, section)
	}
	k.sections[section] = append(k.sections[section], line)
}

// says reports whether [libdefaults] has a key.
func (k *krb5Text) says(key string) bool {
	return slices.ContainsFunc(k.sections["libdefaults"], func(line string) bool {
		name, _, _ := strings.Cut(line, "=")
		return strings.EqualFold(strings.TrimSpace(name), key)
	})
}

func (k *krb5Text) String() string {
	var b strings.Builder
	for _, name := range k.names {
		if name == "" {
			continue // what is before any section belongs to nothing
		}
		fmt.Fprintf(&b, "[%s]\n%s\n", name, strings.Join(k.sections[name], "\n"))
	}
	return b.String()
}

// guarded calls what reads bytes that somebody else wrote with gokrb5. Some of its readers index beyond the end of what is
// cut short; that is an error here, and not the end of the process.
func guarded(what string, read func() error) (err error) {
	defer func() {
		if broken := recover(); broken != nil {
			err = fmt.Errorf("%s cannot be read: it is cut short or damaged", what)
		}
	}()
	return read()
}
