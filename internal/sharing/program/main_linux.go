// Command program is what the tests of shared directories run inside a guest,
// and on the host beside it to know that it asks for nothing but what Linux does.
//
//	program posix DIR             what each operation answers, as root and as others
//	program fsx DIR [SECONDS SEED]     one file against a model of it
//	program stress DIR [SECONDS SEED]  many at work in one tree
//	program tree DIR              what lies below a directory, a line each
//	program watch DIR             what inotify tells of it, a line each
//	program mapped FILE           wait in a mapping for what somebody writes
//	program lock FILE             try its locks
//	program crowd DIR             100,000 files, 5,000 of them open
//
// The DIR of what makes files is made, too. The status is 1 if anything was wrong.
package main

import (
	"fmt"
	"os"
	"strconv"
	"time"
)

// commands end the program by a panic or an error where they cannot go on.
var commands = map[string]func(dir string, span time.Duration, seed uint64) error{
	"posix":  posix,
	"fsx":    fsx,
	"stress": stress,
	"tree":   tree,
	"watch":  watch,
	"mapped": mapped,
	"lock":   lock,
	"crowd":  crowd,
}

func main() {
	if len(os.Args) < 3 || commands[os.Args[1]] == nil {
		fmt.Fprintln(os.Stderr, "usage: program posix|fsx|stress|tree|watch|mapped|lock|crowd PATH [SECONDS SEED]")
		os.Exit(2)
	}
	seconds, seed := 2.0, uint64(1)
	if len(os.Args) > 4 {
		seconds, _ = strconv.ParseFloat(os.Args[3], 64)
		seed, _ = strconv.ParseUint(os.Args[4], 10, 64)
	}
	if err := commands[os.Args[1]](os.Args[2], time.Duration(seconds*float64(time.Second)), seed); err != nil {
		fmt.Println("WRONG:", err)
		os.Exit(1)
	}
}

// inGuest reports whether the whole machine is ours to disturb.
func inGuest() bool { return os.Getenv("GUEST") != "" }
