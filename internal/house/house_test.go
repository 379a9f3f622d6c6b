// Package house holds the rules of the tree that no compiler checks: who may
// import whom, where unsafe may be, how long a file may get. It has tests and
// nothing else.
package house

import (
	"bufio"
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/gov86/gov86"

// root is the top of the tree, seen from this package.
var root = filepath.Join("..", "..")

// A source is one Go file of the tree, with its path from the top.
type source struct {
	path string
	text []byte
	*ast.File
}

// sources reads every Go file, whatever its build constraints: a rule that
// holds on one system only is none.
func sources(t *testing.T) []source {
	t.Helper()
	var all []source
	err := filepath.WalkDir(root, func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && (entry.Name() == "testdata" || strings.HasPrefix(entry.Name(), ".") && name != root):
			return filepath.SkipDir
		case entry.IsDir() || !strings.HasSuffix(name, ".go"):
			return nil
		}
		text, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, text, parser.ImportsOnly|parser.ParseComments)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, name)
		all = append(all, source{filepath.ToSlash(rel), text, file})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(all) == 0 {
		t.Fatal("no Go files found")
	}
	return all
}

func (s source) isTest() bool { return strings.HasSuffix(s.path, "_test.go") }

// imports is what the file imports, as written.
func (s source) imports(t *testing.T) []string {
	t.Helper()
	var all []string
	for _, spec := range s.Imports {
		p, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
	return all
}

// TestImportMap compares what each package imports with the table in
// importmap_test.go. Tests may import what they like.
func TestImportMap(t *testing.T) {
	used := map[string]bool{}
	packages := map[string]map[string]bool{}
	for _, s := range sources(t) {
		if s.isTest() {
			continue
		}
		dir := path.Dir(s.path)
		if packages[dir] == nil {
			packages[dir] = map[string]bool{}
		}
		for _, p := range s.imports(t) {
			packages[dir][p] = true
		}
	}
	for _, dir := range slices.Sorted(maps.Keys(packages)) {
		r, ok := rowFor(dir)
		if !ok {
			t.Errorf("package %s has no line in the import map; add one that says what it may import", dir)
			continue
		}
		used[r.pkg] = true
		for _, p := range slices.Sorted(maps.Keys(packages[dir])) {
			if why := r.refuses(dir, p); why != "" {
				t.Errorf("package %s imports %q: %s", dir, p, why)
			}
		}
	}
	for _, r := range importMap {
		if !used[r.pkg] {
			t.Errorf("the import map has a line for %s, which is no package", r.pkg)
		}
	}
}

// TestImportMapRefuses checks the checker: what the map exists to stop.
func TestImportMapRefuses(t *testing.T) {
	for _, c := range []struct{ dir, imports string }{
		{"devices/uart", "time"},
		{"devices/uart", "sync/atomic"},
		{"devices/uart", "math/rand/v2"},
		{"devices/uart", module + "/devices/pic"},
		{"devices/uart", module + "/cpu"},
		{"devices/uart", "golang.org/x/sys/unix"},
		{"snapshot", "reflect"},
		{"mem", module + "/cpu"},
		{"cpu", module + "/cpu/interp"},
		{"cmd/gov86", module + "/devices/uart"},
	} {
		r, ok := rowFor(c.dir)
		if !ok {
			t.Errorf("no line for %s", c.dir)
		} else if r.refuses(c.dir, c.imports) == "" {
			t.Errorf("the map lets %s import %q", c.dir, c.imports)
		}
	}
}

// TestUnsafeFence keeps unsafe, and the linkname directive that needs it, in
// files whose name says so and whose uses say why they are sound.
func TestUnsafeFence(t *testing.T) {
	for _, s := range sources(t) {
		if s.isTest() || !slices.Contains(s.imports(t), "unsafe") {
			continue
		}
		if !strings.HasSuffix(s.path, "_unsafe.go") {
			t.Errorf("%s imports unsafe; move that into a file named *_unsafe.go", s.path)
		}
		if !bytes.Contains(s.text, []byte("SAFETY:")) {
			t.Errorf("%s has no SAFETY: comment that says why its uses are sound", s.path)
		}
	}
}

// TestNoOversizedFiles: a file longer than this is two files. A table_*.go
// holds a table of a manual and nothing else, and is as long as that.
func TestNoOversizedFiles(t *testing.T) {
	const limit = 500
	seen := map[string]bool{}
	for _, s := range sources(t) {
		if s.isTest() || ast.IsGenerated(s.File) || strings.HasPrefix(path.Base(s.path), "table_") {
			continue
		}
		seen[s.path] = true
		lines := 0
		for scan := bufio.NewScanner(bytes.NewReader(s.text)); scan.Scan(); {
			lines++
		}
		if reason := oversized[s.path]; lines > limit && reason == "" {
			t.Errorf("%s has %d lines, more than %d", s.path, lines, limit)
		} else if lines <= limit && reason != "" {
			t.Errorf("%s has %d lines and needs no exception", s.path, lines)
		}
	}
	for name := range oversized {
		if !seen[name] {
			t.Errorf("%s has an exception and does not exist", name)
		}
	}
}
