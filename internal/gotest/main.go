// Command gotest runs go test with its arguments, and lists at the end what was
// skipped and why: go test itself says so only with -v, among all the rest.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
)

func main() { os.Exit(run(os.Args[1:])) }

// run returns the exit status.
func run(args []string) int {
	cmd := exec.Command("go", append([]string{"test", "-json"}, args...)...)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "gotest:", err)
		return 1
	}
	readErr := report(os.Stdout, out)
	if err := cmd.Wait(); err != nil {
		return 1
	}
	if readErr != nil {
		fmt.Fprintln(os.Stderr, "gotest:", readErr)
		return 1
	}
	return 0
}

// An event is a line of what go test -json writes (go doc test2json).
type event struct {
	Action, Package, Test, Output string
}

// A test is one, by package and name. The package as a whole has no name.
type test struct{ pkg, name string }

// report writes what go test would have, then the tests that were skipped.
func report(w io.Writer, r io.Reader) error {
	said := map[test][]string{}
	var skipped []string
	lines := bufio.NewReader(r)
	for {
		line, err := lines.ReadString('\n')
		if line == "" && err == io.EOF {
			break
		}
		if err != nil && err != io.EOF {
			return err
		}
		var e event
		if json.Unmarshal([]byte(line), &e) != nil { // go itself has something to say
			fmt.Fprint(w, line)
			continue
		}
		at := test{e.Package, e.Test}
		switch e.Action {
		case "output":
			switch {
			case strings.HasPrefix(e.Output, "=== "):
			case e.Test != "":
				said[at] = append(said[at], e.Output)
			case e.Output != "PASS\n":
				fmt.Fprint(w, e.Output)
			}
		case "build-output":
			fmt.Fprint(w, e.Output)
		case "skip":
			if e.Test != "" {
				skipped = append(skipped, fmt.Sprintf("%s %s%s", e.Package, e.Test, reason(said[at])))
			}
			delete(said, at)
		case "pass":
			delete(said, at)
		case "fail":
			for t, lines := range said { // of a package, what its end left unfinished
				if t == at || e.Test == "" && t.pkg == e.Package {
					fmt.Fprint(w, strings.Join(lines, ""))
					delete(said, t)
				}
			}
		}
	}
	if len(skipped) > 0 {
		fmt.Fprintf(w, "\nSkipped (%d):\n", len(skipped))
		for _, s := range skipped {
			fmt.Fprintln(w, s)
		}
	}
	return nil
}

// reason is what a skipped test said, indented.
func reason(said []string) string {
	var why strings.Builder
	for _, line := range said {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "--- SKIP") {
			continue
		}
		if file, text, ok := strings.Cut(line, ": "); ok && strings.Contains(file, "_test.go:") {
			line = text
		}
		why.WriteString("\n    " + line)
	}
	return why.String()
}
