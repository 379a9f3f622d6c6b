package main

import "strings"

// A qemuFlag is how gov86 spells a flag that QEMU writes with one dash.
type qemuFlag struct {
	name  string
	value func(string) (string, error) // nil when the flag takes none
}

func unchanged(v string) (string, error) { return v, nil }

// withoutFile is QEMU's -debugcon, which has other destinations besides files.
func withoutFile(v string) (string, error) { return strings.TrimPrefix(v, "file:"), nil }

// megabytes is QEMU's -m: a bare number counts megabytes, and the number may
// be written size=256M (qemu-system-i386(1)).
func megabytes(v string) (string, error) {
	v = strings.TrimPrefix(v, "size=")
	if v != "" && strings.Trim(v, "0123456789") == "" {
		v += "M"
	}
	return v, nil
}

// withoutTCP is QEMU's -gdb tcp:HOST:PORT.
func withoutTCP(v string) (string, error) { return strings.TrimPrefix(v, "tcp:"), nil }

// exitDevice is QEMU's -device isa-debug-exit, the only one of its devices that
// can be added here. It has four ports, whatever iosize is.
func exitDevice(v string) (string, error) {
	const remedy = "write -device isa-debug-exit,iobase=0xf4,iosize=0x04"
	name, properties, some := strings.Cut(v, ",")
	if name != "isa-debug-exit" {
		return "", failure{"-device", "there is no device " + name + " to add", remedy}
	}
	port := "0x501"
	for some {
		var p string
		p, properties, some = strings.Cut(properties, ",")
		switch key, value, _ := strings.Cut(p, "="); key {
		case "iobase":
			port = value
		case "iosize":
		default:
			return "", failure{"-device", name + " has no property " + key, remedy}
		}
	}
	return "qemu," + port, nil
}

var qemuFlags = map[string]qemuFlag{
	"-kernel":    {"--kernel", unchanged},
	"-initrd":    {"--initrd", unchanged},
	"-append":    {"--append", unchanged},
	"-bios":      {"--bios", unchanged},
	"-boot":      {"--boot", unchanged},
	"-cpu":       {"--cpu", unchanged},
	"-device":    {"--debug-exit", exitDevice},
	"-debugcon":  {"--debugcon", withoutFile},
	"-m":         {"--memory", megabytes},
	"-hda":       {"--disk", unchanged},
	"-hdb":       {"--disk", unchanged},
	"-cdrom":     {"--cdrom", unchanged},
	"-fda":       {"--fda", unchanged},
	"-fdb":       {"--fdb", unchanged},
	"-nographic": {name: "--headless"},
	"-gdb":       {"--gdb", withoutTCP},
	"-s":         {name: "--gdb=:1234"},
	"-S":         {name: "--freeze"},
}

// fromQEMU respells QEMU's names among args. It comes before pflag, which
// reads -kernel as -k with the value "ernel". takesValue says which of gov86's
// own flags are followed by a value; a value is never respelled.
func fromQEMU(args []string, takesValue func(flag string) bool) ([]string, error) {
	var out []string
	for i := 0; i < len(args); i++ {
		arg := args[i]
		if arg == "--" {
			return append(out, args[i:]...), nil
		}
		q, known := qemuFlags[arg]
		switch {
		case known && q.value == nil:
			out = append(out, q.name)
		case known:
			i++
			if i == len(args) {
				return nil, failure{arg, "a value is missing", "write " + arg + " VALUE"}
			}
			v, err := q.value(args[i])
			if err != nil {
				return nil, err
			}
			out = append(out, q.name+"="+v)
		case len(arg) > 2 && arg[0] == '-' && arg[1] != '-':
			return nil, unknownFlag(arg)
		default:
			out = append(out, arg)
			if takesValue(arg) && i+1 < len(args) {
				i++
				out = append(out, args[i])
			}
		}
	}
	return out, nil
}

func unknownFlag(flag string) error {
	return failure{flag, "there is no such flag", "gov86 run --help lists them"}
}
