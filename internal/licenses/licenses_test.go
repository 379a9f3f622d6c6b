package licenses

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestWriteGivesEveryPartItsText(t *testing.T) {
	var out bytes.Buffer
	if err := Write(&out); err != nil {
		t.Fatal(err)
	}
	for _, p := range parts {
		if _, after, found := strings.Cut(out.String(), "== "+p.name+" ==\n\n"); !found || len(after) < 500 {
			t.Errorf("no licence text under %q", p.name)
		}
	}
}

func TestOurLicenceIsTheOneAtTheTop(t *testing.T) {
	top, err := os.ReadFile(filepath.Join("..", "..", "LICENSE"))
	if err != nil {
		t.Fatal(err)
	}
	embedded, err := texts.ReadFile("texts/gov86.txt")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(top, embedded) {
		t.Error("texts/gov86.txt differs from LICENSE at the top; copy it")
	}
}

// TestEveryLinkedModuleIsListed asks the go command what is linked on the
// systems gov86 is built for, and compares the licences with theirs.
func TestEveryLinkedModuleIsListed(t *testing.T) {
	linked := map[string]string{}
	for _, goos := range []string{"linux", "windows"} {
		for _, m := range linkedModules(t, goos) {
			linked[m.Path] = m.Dir
		}
	}
	for path, dir := range linked {
		i := slices.IndexFunc(parts, func(p part) bool { return p.name == path })
		if i < 0 {
			t.Errorf("%s is linked into gov86 and its licence is not listed", path)
			continue
		}
		theirs, err := filepath.Glob(filepath.Join(dir, "LICENSE*"))
		if err != nil || len(theirs) == 0 {
			t.Errorf("%s has no licence file: %v", path, err)
			continue
		}
		want, err := os.ReadFile(theirs[0])
		if err != nil {
			t.Error(err)
		}
		if got, err := texts.ReadFile("texts/" + parts[i].file); err != nil || !bytes.Equal(got, want) {
			t.Errorf("texts/%s differs from %s; copy it", parts[i].file, theirs[0])
		}
	}
}

type linkedModule struct{ Path, Dir string }

func linkedModules(t *testing.T, goos string) []linkedModule {
	t.Helper()
	cmd := exec.Command("go", "list", "-deps", "-json=Module", "../../cmd/gov86")
	cmd.Env = append(os.Environ(), "GOOS="+goos, "CGO_ENABLED=0")
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var modules []linkedModule
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p struct{ Module *linkedModule }
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return modules
		} else if err != nil {
			t.Fatal(err)
		}
		if p.Module != nil {
			modules = append(modules, *p.Module)
		}
	}
}
