package main

import (
	"bufio"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/gov86/gov86/cpu/isa"
	"github.com/gov86/gov86/symbols"
)

const disasmHelp = `Write machine code as instructions, in Intel's syntax.

FILE is a raw image, or an ELF file, of which all code is written or what
--section or --symbol names. "-" is standard input. --hex takes the bytes from
the command line: gov86 disasm --bits 16 --hex "ea 5b e0 00 f0".

What is no instruction of this processor is "(bad)", one byte at a time.`

// disassembly is what the flags of disasm ask for.
type disassembly struct {
	bits            int
	base            string
	hex             string
	symbolFile      string
	section, symbol string
	offset, length  string
	baseSet, hexSet bool
}

func newDisasm() *cobra.Command {
	d := disassembly{bits: 32}
	cmd := &cobra.Command{
		Use:   "disasm [flags] FILE|-",
		Short: "Disassemble a file or bytes",
		Long:  disasmHelp,
		Args:  cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			d.baseSet, d.hexSet = cmd.Flags().Changed("base"), cmd.Flags().Changed("hex")
			return d.run(args, cmd.InOrStdin(), cmd.OutOrStdout())
		},
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.IntVar(&d.bits, "bits", d.bits, "decode code of 16 or 32 bits")
	f.StringVar(&d.base, "base", "0", "give the first byte of a raw image this `ADDRESS`")
	f.StringVar(&d.offset, "offset", "0", "leave out the first `BYTES` of a raw image, or of --section")
	f.StringVar(&d.length, "length", "", "decode no more than `BYTES`")
	f.StringVar(&d.hex, "hex", "", "decode these `BYTES`, in hexadecimal")
	f.StringVar(&d.section, "section", "", "decode the section `NAME` of an ELF file")
	f.StringVar(&d.symbol, "symbol", "", "decode from the symbol `NAME` to the next one")
	f.StringVar(&d.symbolFile, "symbols", "",
		"take symbols from `FILE`, a System.map or an ELF file (default FILE, if an ELF file)")
	return cmd
}

// run writes what the flags and arguments name.
func (d *disassembly) run(args []string, stdin io.Reader, stdout io.Writer) error {
	if d.bits != 16 && d.bits != 32 {
		return failure{"--bits", fmt.Sprintf("there is no code of %d bits here", d.bits), "write --bits 16 or --bits 32"}
	}
	pieces, table, err := d.read(args, stdin)
	if err != nil {
		return err
	}
	if pieces, err = d.cut(pieces, table); err != nil {
		return err
	}
	w := bufio.NewWriter(stdout)
	for _, p := range pieces {
		p.write(w, isa.Mode(d.bits), table)
	}
	if err := w.Flush(); err != nil {
		return failure{"standard output", cause(err), "give a file that can be written"}
	}
	return nil
}

// A piece is machine code and where it lies.
type piece struct {
	name string // of its section, or nothing
	at   uint32
	code []byte
}

// read returns all code there is, and the symbols.
func (d *disassembly) read(args []string, stdin io.Reader) (pieces []piece, table *symbols.Table, err error) {
	if d.symbolFile != "" {
		if table, err = symbolsOf(d.symbolFile); err != nil {
			return nil, nil, err
		}
	}
	image, name, err := d.image(args, stdin)
	if err != nil {
		return nil, nil, err
	}
	if isELF(image) && !d.baseSet {
		if table == nil {
			table, _ = symbols.Parse(image) // a file without symbols can be read too
		}
		pieces, err = sections(image, name, d.section)
		return pieces, table, err
	}
	if d.section != "" {
		return nil, nil, failure{"--section", name + " is no ELF file", "give the part of it by --offset and --length"}
	}
	base, err := number("--base", d.base)
	return []piece{{"", base, image}}, table, err
}

// image is the bytes that are given, and what they are called.
func (d *disassembly) image(args []string, stdin io.Reader) ([]byte, string, error) {
	const remedy = "give one FILE, or - for standard input, or --hex BYTES"
	switch {
	case d.hexSet && len(args) > 0:
		return nil, "", failure{args[0], "--hex has the bytes already", remedy}
	case d.hexSet:
		text := strings.NewReplacer(" ", "", ",", "", "0x", "", "\\x", "", "\t", "", "\n", "").Replace(d.hex)
		code, err := hex.DecodeString(text)
		if err != nil || len(code) == 0 {
			return nil, "", failure{"--hex", fmt.Sprintf("%q is not bytes in hexadecimal", d.hex), `write --hex "0f 0b"`}
		}
		return code, "--hex", nil
	case len(args) != 1:
		return nil, "", failure{"disasm", fmt.Sprintf("%d files are given", len(args)), remedy}
	}
	read := func() ([]byte, error) { return os.ReadFile(args[0]) }
	if args[0] == "-" {
		read = func() ([]byte, error) { return io.ReadAll(stdin) }
	}
	image, err := read()
	if err != nil {
		return nil, "", failure{args[0], cause(err), remedy}
	}
	return image, args[0], nil
}

// number reads the value of a flag.
func number(flag, text string) (uint32, error) {
	v, err := strconv.ParseUint(text, 0, 32)
	if err != nil {
		return 0, failure{flag, fmt.Sprintf("%q is no number below 4 GiB", text), "write it as 4096 or 0x1000"}
	}
	return uint32(v), nil
}

// cut leaves of the pieces what --symbol, --offset and --length ask for.
func (d *disassembly) cut(pieces []piece, table *symbols.Table) ([]piece, error) {
	offset, err := number("--offset", d.offset)
	if err != nil {
		return nil, err
	}
	if d.symbol != "" {
		p, err := symbolPiece(pieces, table, d.symbol)
		if err != nil {
			return nil, err
		}
		pieces = []piece{p}
	}
	if len(pieces) > 1 && (offset != 0 || d.length != "") {
		return nil, failure{"--offset, --length", "there are several sections of code", "choose one by --section"}
	}
	for i := range pieces {
		p := &pieces[i]
		if uint64(offset) >= uint64(len(p.code)) {
			return nil, failure{"--offset", fmt.Sprintf("there are only %d bytes", len(p.code)), "give a smaller one"}
		}
		p.at += offset
		p.code = p.code[offset:]
		if d.length != "" {
			n, err := number("--length", d.length)
			if err != nil {
				return nil, err
			}
			p.code = p.code[:min(uint64(n), uint64(len(p.code)))]
		}
	}
	return pieces, nil
}

// symbolPiece is the code of a symbol.
func symbolPiece(pieces []piece, table *symbols.Table, name string) (piece, error) {
	at, err := addressOf("--symbol", name, table)
	if err != nil {
		return piece{}, err
	}
	for _, p := range pieces {
		if at < p.at || uint64(at)-uint64(p.at) >= uint64(len(p.code)) {
			continue
		}
		code := p.code[at-p.at:]
		if end := table.End(name, at); end > at {
			code = code[:min(uint64(end-at), uint64(len(code)))]
		}
		return piece{p.name, at, code}, nil
	}
	return piece{}, failure{"--symbol " + name, fmt.Sprintf("%#x is not in the code", at),
		"give the --base of the image, or another symbol"}
}

// write writes p, an instruction a line, with a line for each symbol.
func (p *piece) write(w io.Writer, mode isa.Mode, table *symbols.Table) {
	if p.name != "" {
		fmt.Fprintf(w, "section %s\n", p.name)
	}
	for off := 0; off < len(p.code); {
		at := p.at + uint32(off)
		if _, behind, ok := table.Lookup(at); ok && (behind == 0 || off == 0) {
			fmt.Fprintf(w, "%s:\n", table.Name(at))
		}
		rest := p.code[off:min(len(p.code), off+isa.MaxLen)]
		if next := table.Next(at); next > at {
			rest = rest[:min(uint32(len(rest)), next-at)] // what lies before it need not be code
		}
		n := 1
		if in, err := isa.Decode(rest, mode); err == nil {
			n = int(in.Len)
		}
		line := fmt.Sprintf("%08x  %-20x  %s", at, rest[:n], isa.Disasm(rest, mode, at))
		if to, ok := isa.Refers(rest, mode, at); ok {
			if name := table.Name(to); name != "" {
				line += "  ; " + name
			}
		}
		fmt.Fprintln(w, line)
		off += n
	}
}
