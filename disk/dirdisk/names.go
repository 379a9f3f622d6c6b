package dirdisk

import (
	"fmt"
	"strings"
	"unicode/utf16"
)

// shortName is a name of eight characters and three, of letters, digits and
// underscores. A directory has no extension.
func shortName(name string, dir bool) (base, ext string) {
	name = strings.TrimLeft(name, ".")
	if i := strings.LastIndexByte(name, '.'); i >= 0 && !dir {
		name, ext = name[:i], name[i+1:]
	}
	return cut(plain(name), 8), cut(plain(ext), 3)
}

// plain has nothing but what ISO 9660 and DOS allow in any name.
func plain(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z':
			return r - 'a' + 'A'
		case r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '_':
			return r
		}
		return '_'
	}, s)
}

func cut(s string, n int) string { return s[:min(n, len(s))] }

// shortNames are names for the children of a directory, all different.
func shortNames(children []*node) map[*node]string {
	names, taken := map[*node]string{}, map[string]bool{}
	next := map[string]int{}
	for _, c := range children {
		base, ext := shortName(c.name, c.isDir())
		if base == "" {
			base = "_"
		}
		name := join(base, ext)
		for key := name; taken[name]; {
			next[key]++
			number := fmt.Sprint(next[key])
			name = join(cut(base, 8-len(number)-1)+"_"+number, ext)
		}
		names[c], taken[name] = name, true
	}
	return names
}

func join(base, ext string) string {
	if ext == "" {
		return base
	}
	return base + "." + ext
}

// jolietMost is the most characters of a name (Joliet Specification, "Allowed
// Maximum Length").
const jolietMost = 64

// jolietNames are names for the children of a directory, all different and
// without what Joliet does not allow.
func jolietNames(children []*node) map[*node][]uint16 {
	names, taken := map[*node][]uint16{}, map[string]bool{}
	for _, c := range children {
		if c.isLink() {
			continue
		}
		text := strings.Map(func(r rune) rune {
			if r < ' ' || strings.ContainsRune(`*/:;?\`, r) {
				return '_'
			}
			return r
		}, strings.ToValidUTF8(c.name, "_"))
		whole := utf16.Encode([]rune(text))
		name := whole[:min(len(whole), jolietMost)]
		for i := 1; taken[string(utf16.Decode(name))]; i++ {
			number := utf16.Encode([]rune(fmt.Sprintf("~%d", i)))
			name = append(append([]uint16(nil), whole[:min(len(whole), jolietMost-len(number))]...), number...)
		}
		names[c], taken[string(utf16.Decode(name))] = name, true
	}
	return names
}
