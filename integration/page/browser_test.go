package page

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"html"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/epistle-kafka/epistle/integration/kafka"
)

// browser finds a Chromium.
func browser(t *testing.T) string {
	t.Helper()
	for _, name := range []string{os.Getenv("CHROMIUM"), "chromium", "chromium-browser", "google-chrome", "google-chrome-stable"} {
		if path, err := exec.LookPath(name); name != "" && err == nil {
			return path
		}
	}
	kafka.NotRun(t, "there is no Chromium (Debian: chromium), nor does CHROMIUM name one")
	return ""
}

// A view is how a page is looked at.
type view struct {
	name          string
	width, height int
	dark          bool
}

// open has the browser open a file, with further arguments, and returns what it prints.
func (v view) open(t *testing.T, browser, file string, args ...string) []byte {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	scheme := 1
	if v.dark {
		scheme = 0
	}
	cmd := exec.CommandContext(ctx, browser, append([]string{
		"--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-component-update",
		"--disable-sync", "--disable-extensions", "--hide-scrollbars", "--force-device-scale-factor=1", "--user-data-dir=" + t.TempDir(),
		fmt.Sprintf("--window-size=%d,%d", v.width, v.height), fmt.Sprintf("--blink-settings=preferredColorScheme=%d", scheme),
	}, append(args, "file://"+file)...)...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		t.Fatalf("%s: %v\n%s", browser, err, errs.Bytes())
	}
	return out.Bytes()
}

// picture has the browser draw a file.
func (v view) picture(t *testing.T, browser, file, to string) {
	t.Helper()
	v.open(t, browser, file, "--screenshot="+to)
	if info, err := os.Stat(to); err != nil || info.Size() < 10_000 {
		t.Errorf("the browser has drawn nothing: %v, %v", info, err)
	}
}

// measured is what measure.js finds.
type measured struct {
	Background            string
	Width, Screen, Height float64
	Requests              int
	Charts                []chart
	Faint, Outside        []string
}

type chart struct {
	Title                   string
	Width, Height, Smallest float64
	Lines                   []struct{ Width, Height float64 }
	Overlap, Outside, Faint []string
}

//go:embed measure.js
var measure string

var measuredText = regexp.MustCompile(`(?s)<pre id="measured">(.*)</pre>`)

// policy is what keeps scripts out of a page.
var policy = regexp.MustCompile(`<meta http-equiv="Content-Security-Policy"[^>]*>`)

// measure has the browser draw a copy of the page that measures itself.
func (v view) measure(t *testing.T, browser string, page []byte) (m measured) {
	t.Helper()
	if !policy.Match(page) {
		t.Error("the page says nothing of what it may load: it should load nothing")
	}
	page = policy.ReplaceAll(page, nil)
	page = bytes.Replace(page, []byte("</body>"), []byte("<script>"+measure+"</script></body>"), 1)
	file := filepath.Join(t.TempDir(), "copy.html")
	if err := os.WriteFile(file, page, 0o600); err != nil {
		t.Fatal(err)
	}
	found := measuredText.FindSubmatch(v.open(t, browser, file, "--dump-dom"))
	if found == nil {
		t.Fatal("the page has not measured itself")
	}
	if err := json.Unmarshal([]byte(html.UnescapeString(string(found[1]))), &m); err != nil {
		t.Fatal(err)
	}
	return m
}
