// Package licenses holds the licences of what is linked into gov86. What runs
// inside the embedded guest has its own, in package guest.
package licenses

import (
	"embed"
	"io"
)

//go:embed texts
var texts embed.FS

// A part is something with a licence of its own.
type part struct {
	name string // a module path, but for the Go distribution
	file string
}

var parts = []part{
	{"github.com/gov86/gov86", "gov86.txt"},
	{"Go standard library and runtime", "go.txt"},
	{"github.com/inconshreveable/mousetrap", "mousetrap.txt"},
	{"github.com/klauspost/compress", "compress.txt"},
	{"github.com/spf13/cobra", "cobra.txt"},
	{"github.com/spf13/pflag", "pflag.txt"},
	{"github.com/fcambus/spleen, the font of the text screen", "spleen.txt"},
	{"golang.org/x/arch", "arch.txt"},
	{"golang.org/x/sys", "sys.txt"},
}

// Write writes every licence under the name of what it licenses.
func Write(w io.Writer) error {
	for _, p := range parts {
		text, err := texts.ReadFile("texts/" + p.file)
		if err != nil {
			panic("BUG: no licence text: " + err.Error())
		}
		for _, s := range []string{"== ", p.name, " ==\n\n", string(text), "\n"} {
			if _, err := io.WriteString(w, s); err != nil {
				return err
			}
		}
	}
	return nil
}
