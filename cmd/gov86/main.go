// Command gov86 is a 32-bit PC in one program: it boots an operating system
// and puts its console on the terminal.
package main

import (
	"os"

	"github.com/gov86/gov86/display/sdl"
)

func main() {
	os.Exit(sdl.Main(func() int { return run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr) }))
}
