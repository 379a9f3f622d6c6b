package main

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

// A guest is what the peers run.
type guest struct {
	source  string // bench/guest
	work    string // where everything is built
	gov86   string
	bzImage string
	initrd  string
	program string // the 32-bit static benchmark binary, built here if none is given
	busybox string // the 32-bit busybox of the guest
	applets string // a directory of links to it
	scratch string
	shared  string // a directory with a file to stat
	// bootInitrd is the embedded guest's own.
	bootInitrd string
}

// guestWork is where guest/build.sh works.
func guestWork() string {
	if w := os.Getenv("GOV86_GUEST_WORK"); w != "" {
		return w
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		cache = "."
	}
	return filepath.Join(cache, "gov86", "guest")
}

func guestFlags() *guest {
	g := &guest{}
	flag.StringVar(&g.source, "source", "bench/guest", "directory of the guest's sources")
	flag.StringVar(&g.work, "work", "bench/work", "directory to build in")
	flag.StringVar(&g.gov86, "gov86", "bin/gov86", "the gov86 binary")
	built := guestWork()
	flag.StringVar(&g.bzImage, "kernel", filepath.Join(built, "bzImage"), "an i386 bzImage all emulators boot")
	flag.StringVar(&g.busybox, "busybox", filepath.Join(built, "busybox"), "a static i386 busybox")
	flag.StringVar(&g.program, "program", "", "the 32-bit static benchmark binary; built from -source if empty")
	flag.StringVar(&g.bootInitrd, "initrd", filepath.Join(built, "initramfs.cpio"), "the embedded guest's initramfs, for -boot")
	return g
}

// build compiles the programs and packs the initramfs.
func (g *guest) build() error {
	for _, file := range []string{g.bzImage, g.busybox} {
		if _, err := os.Stat(file); err != nil {
			return fmt.Errorf("%w: run guest/build.sh and guest/build.sh bzimage first, or name the files", err)
		}
	}
	var err error
	for _, p := range []*string{&g.source, &g.work, &g.gov86, &g.bzImage, &g.busybox, &g.bootInitrd} {
		if *p, err = filepath.Abs(*p); err != nil {
			return err
		}
	}
	compile := `make -s -C "$source" OUT="$work"`
	if g.program == "" {
		g.program = filepath.Join(g.work, "bench")
	} else if g.program, err = filepath.Abs(g.program); err != nil {
		return err
	} else {
		compile = ""
	}
	g.initrd = filepath.Join(g.work, "initrd")
	g.applets = filepath.Join(g.work, "applets")
	g.scratch = filepath.Join(g.work, "scratch")
	g.shared = filepath.Join(g.work, "shared")
	root := filepath.Join(g.work, "root")
	if err := os.RemoveAll(root); err != nil {
		return err
	}
	for _, d := range []string{g.applets, g.scratch, g.shared, root + "/bin", root + "/dev", root + "/proc", root + "/sys", root + "/tmp", root + "/mnt"} {
		if err := os.MkdirAll(d, 0o755); err != nil {
			return err
		}
	}
	if err := os.WriteFile(filepath.Join(g.shared, "probe"), []byte("probe\n"), 0o644); err != nil {
		return err
	}
	// The native peer must run the same applets, not the host's.
	for _, a := range strings.Fields("gzip gunzip md5sum cut tr head sort uniq awk cat find wc tar expr rm mkdir") {
		link := filepath.Join(g.applets, a)
		os.Remove(link)
		if err := os.Symlink(g.busybox, link); err != nil {
			return err
		}
	}
	script := "set -e\n" + compile + `
cp "$busybox" "$work/root/bin/busybox"; ln -s busybox "$work/root/bin/sh"
cp "$program" "$work/root/bench"; cp "$source/init" "$source/runbench.sh" "$source/runfs.sh" "$work/root/"
chmod 755 "$work/root/init" "$work/root/bench"
cd "$work/root" && find . | LC_ALL=C sort | "$busybox" cpio -o -H newc -R 0:0 >"$work/initrd"`
	cmd := exec.Command("sh", "-c", script)
	cmd.Env = append(os.Environ(), "source="+g.source, "work="+g.work, "busybox="+g.busybox, "program="+g.program)
	cmd.Stderr = os.Stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("build the guest (needs gcc-multilib and libc6-dev-i386, or -program): %w", err)
	}
	return nil
}

// cpuSeconds is the CPU time that process pid and its children have used, those
// that were waited for and those that still run: in clock ticks, but also for
// threads, and a process, that have ended meanwhile.
func cpuSeconds(pid int) float64 {
	for {
		_, before := cpuTimes(pid)
		var running float64
		children, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
		for _, c := range children {
			b, _ := os.ReadFile(c)
			for _, w := range strings.Fields(string(b)) {
				child, _ := strconv.Atoi(w)
				running += cpuSeconds(child)
			}
		}
		// A child that ended just now might be in neither.
		if own, waited := cpuTimes(pid); waited == before {
			return own + waited + running
		}
	}
}

// cpuTimes are the seconds of a process itself, and of the children it has waited
// for.
func cpuTimes(pid int) (own, waited float64) {
	const ticks = 100 // sysconf(_SC_CLK_TCK) on Linux
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, 0
	}
	f := strings.Fields(string(b[strings.LastIndexByte(string(b), ')')+1:]))
	seconds := func(i int) float64 {
		n, _ := strconv.ParseFloat(f[i], 64)
		return n / ticks
	}
	return seconds(11) + seconds(12), seconds(13) + seconds(14)
}

func load() string {
	b, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "unknown"
	}
	return strings.Fields(string(b))[0]
}
