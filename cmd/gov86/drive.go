package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/gov86/gov86/control"
	"github.com/gov86/gov86/display"
)

type object = map[string]any

func newCtl() *cobra.Command {
	return new(driver).command(&cobra.Command{
		Use:   "ctl [flags] COMMAND [NAME=VALUE... | JSON]",
		Short: "Send a command to a running machine",
		Long: `Send a command to a machine that was started with --control, and print what it
answers. gov86 ctl query-commands lists the commands: QEMU's query-status, stop,
cont, quit, system_powerdown, system_reset, screendump, send-key and
input-send-event, as the QEMU QMP Reference Manual has them, and gov86's type
(text=TEXT) and query-screen. A VALUE is JSON, or else a string.`,
		Args: atLeast(1, "the name of a command"),
	}, func(c *control.Client, cmd *cobra.Command, args []string) error {
		arguments, err := argumentsOf(args[1:])
		if err != nil {
			return err
		}
		answer, err := c.Execute(args[0], arguments)
		if err != nil {
			return failure{args[0], err.Error(), ""}
		}
		var pretty bytes.Buffer
		if err := json.Indent(&pretty, answer, "", "  "); err != nil {
			return err
		}
		_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s\n", &pretty)
		return err
	})
}

// argumentsOf reads the arguments of a command, nil for none.
func argumentsOf(args []string) (any, error) {
	switch {
	case len(args) == 0:
		return nil, nil
	case len(args) == 1 && strings.HasPrefix(args[0], "{"):
		if !json.Valid([]byte(args[0])) {
			return nil, failure{args[0], "it is no JSON", "write an object, or NAME=VALUE"}
		}
		return json.RawMessage(args[0]), nil
	}
	all := object{}
	for _, a := range args {
		name, value, ok := strings.Cut(a, "=")
		if !ok {
			return nil, failure{a, "it is no argument", "write NAME=VALUE"}
		}
		all[name] = value
		if json.Valid([]byte(value)) {
			all[name] = json.RawMessage(value)
		}
	}
	return all, nil
}

func atLeast(n int, what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) >= n {
			return nil
		}
		return failure{cmd.CommandPath(), what + " is missing", cmd.CommandPath() + " --help tells more"}
	}
}

func newScreenshot() *cobra.Command {
	var text bool
	cmd := &cobra.Command{
		Use:   "screenshot [flags] [FILE]",
		Short: "Save the screen of a running machine",
		Long:  "Write what is on the screen of a machine that was started with --control to FILE as\nPNG, or to standard output.",
		Args:  cobra.MaximumNArgs(1),
	}
	cmd.Flags().BoolVar(&text, "text", false, "write the characters of a text mode")
	return new(driver).command(cmd, func(c *control.Client, cmd *cobra.Command, args []string) error {
		var content []byte
		if text {
			s, err := askScreen(c)
			if err != nil {
				return err
			}
			for _, row := range s.Text {
				content = append(content, strings.TrimRight(row, " ")+"\n"...)
			}
		} else {
			answer, err := c.Execute("screendump", nil)
			if err != nil {
				return err
			}
			var picture struct{ Image []byte }
			if err := json.Unmarshal(answer, &picture); err != nil {
				return err
			}
			content = picture.Image
		}
		if len(args) == 0 {
			_, err := cmd.OutOrStdout().Write(content)
			return err
		}
		if err := os.WriteFile(args[0], content, 0o666); err != nil {
			return failure{args[0], cause(err), "give a file that can be written"}
		}
		return nil
	})
}

// screenState is what query-screen answers.
type screenState struct {
	Width, Height int
	Text          []string
}

func askScreen(c *control.Client) (s screenState, err error) {
	answer, err := c.Execute("query-screen", nil)
	if err == nil {
		err = json.Unmarshal(answer, &s)
	}
	return s, err
}

func newSendKey() *cobra.Command {
	var hold int
	cmd := &cobra.Command{
		Use:   "sendkey [flags] KEYS...",
		Short: "Press keys of a running machine",
		Long: `Press keys of a machine that was started with --control. Keys that are pressed
together have hyphens between them: ctrl-alt-delete. The names are QEMU's:
` + wrap(display.KeyNames(), 80),
		Args: atLeast(1, "a key"),
	}
	cmd.Flags().IntVar(&hold, "hold", 100, "hold them for so many `MILLISECONDS`")
	return new(driver).command(cmd, func(c *control.Client, _ *cobra.Command, args []string) error {
		for _, chord := range args {
			var keys []object
			for _, name := range strings.Split(chord, "-") {
				keys = append(keys, object{"type": "qcode", "data": strings.ToLower(name)})
			}
			if _, err := c.Execute("send-key", object{"keys": keys, "hold-time": hold}); err != nil {
				return failure{chord, err.Error(), ""}
			}
		}
		return nil
	})
}

// wrap sets words in lines of a width.
func wrap(words []string, width int) string {
	var text, line string
	for _, w := range words {
		if len(line)+len(w) >= width {
			text, line = text+line+"\n", ""
		}
		line += w + " "
	}
	return text + line
}

func newType() *cobra.Command {
	return new(driver).command(&cobra.Command{
		Use:   "type [flags] TEXT...",
		Short: "Type text into a running machine",
		Long: `Type text into a machine that was started with --control, on a US keyboard and as
fast as its guest reads. Words get a space between them; \n, \t, \e and \\ are
Enter, Tab, Escape and a backslash. A single - types what is on standard input.`,
		Args: atLeast(1, "the text"),
	}, func(c *control.Client, cmd *cobra.Command, args []string) error {
		text := strings.NewReplacer(`\\`, `\`, `\n`, "\n", `\t`, "\t", `\e`, "\x1b").Replace(strings.Join(args, " "))
		if slices.Equal(args, []string{"-"}) {
			b, err := io.ReadAll(cmd.InOrStdin())
			if err != nil {
				return err
			}
			text = string(b)
		}
		_, err := c.Execute("type", object{"text": text})
		return err
	})
}

func newMouse() *cobra.Command {
	return new(driver).command(&cobra.Command{
		Use:   "mouse [flags] ACTION...",
		Short: "Use the mouse of a running machine",
		Long: `Use the mouse of a machine that was started with --control. Each action is one of
  to X Y          point at a pixel of the screen
  move DX DY      move to the right and down
  press BUTTON, release BUTTON, click BUTTON
                  with left, right, middle, side or extra
  wheel N         turn the wheel away from the user, or with -N towards
After a -- numbers may be negative.`,
		Args: atLeast(1, "an action"),
	}, func(c *control.Client, _ *cobra.Command, args []string) error {
		for len(args) > 0 {
			n, events, err := mouseAction(c, args)
			if err != nil {
				return err
			}
			for _, e := range events { // one by one, or a guest might miss a click
				if _, err := c.Execute("input-send-event", object{"events": e}); err != nil {
					return failure{args[0], err.Error(), ""}
				}
			}
			args = args[n:]
		}
		return nil
	})
}

// mouseAction is the events of the first action of args, which is n words.
func mouseAction(c *control.Client, args []string) (n int, events [][]object, err error) {
	event := func(kind string, data object) []object { return []object{{"type": kind, "data": data}} }
	axes := func(kind string, x, y int) []object {
		return append(event(kind, object{"axis": "x", "value": x}), event(kind, object{"axis": "y", "value": y})...)
	}
	n = map[string]int{"to": 3, "move": 3, "press": 2, "release": 2, "click": 2, "wheel": 2}[args[0]]
	if n == 0 || len(args) < n {
		return 0, nil, failure{args[0], "it is no action, or lacks a word", "gov86 mouse --help lists them"}
	}
	button := func(down bool) []object { return event("btn", object{"button": args[1], "down": down}) }
	var v [2]int
	for i := range n - 1 {
		if v[i], err = strconv.Atoi(args[i+1]); err != nil && (n == 3 || args[0] == "wheel") {
			return 0, nil, failure{args[i+1], "it is no number", ""}
		}
	}
	switch args[0] {
	case "to":
		s, err := askScreen(c)
		if err != nil {
			return 0, nil, err
		}
		at := func(v, of int) int { return min(max((2*v+1)*(display.PositionMax+1)/(2*of), 0), display.PositionMax) }
		events = append(events, axes("abs", at(v[0], s.Width), at(v[1], s.Height)))
	case "move":
		events = append(events, axes("rel", v[0], v[1]))
	case "press":
		events = append(events, button(true))
	case "release":
		events = append(events, button(false))
	case "click":
		events = append(events, button(true), button(false))
	case "wheel":
		name := "wheel-up"
		if v[0] < 0 {
			name, v[0] = "wheel-down", -v[0]
		}
		for range v[0] {
			events = append(events, event("btn", object{"button": name, "down": true}))
		}
	}
	return n, events, nil
}
