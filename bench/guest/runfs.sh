# sourced by /init: loads on a shared directory; needs $fs, what it is mounted as.
B=/bench M=/mnt
case $fs in
v86fs) mount -t v86fs host $M ;;
9p) mount -t 9p -o trans=virtio,version=9p2000.L,msize=512000 host $M ;;
9p-loose) mount -t 9p -o trans=virtio,version=9p2000.L,msize=512000,cache=loose host $M ;;
esac || echo "@@FAIL mount"
# Everything but what is said to be warm begins with nothing in the guest's cache.
cold() { sync; echo 3 >/proc/sys/vm/drop_caches; }
m() { n=$1; shift; echo "@@B $n"; "$@" || echo "@@FAIL $n"; echo "@@E $n 0 0 1/1"; }
pair() { $B mkfiles $M/c 5000 0 && $B rmfiles $M/c 5000; }
readtree() { tar -cf - -C $M x | wc -c >/dev/null; }
find_() { find $M/m -type f | wc -l >/dev/null; }
status() { (cd $M/git && git status --porcelain >/dev/null); }
runfs() {
	mkdir /tmp/g
	$B mkfiles /tmp/g 3000 4000
	tar -cf /tmp/src.tar -C /tmp g
	rm -rf /tmp/g
	cold; m seqwrite $B seqw $M/big 256 1048576
	cold; m seqread $B seqr $M/big 1048576
	cold; m seqread4k $B seqr $M/big 4096
	rm -f $M/big
	mkdir $M/m
	cold; m create10k $B mkfiles $M/m 10000 256
	cold; m find10k find_
	m findwarm find_
	cold; m stat10k $B statall $M/m 10000
	rm -rf $M/m
	mkdir $M/c
	cold; m makeunlink5k pair
	mkdir $M/x
	cold; m untar3k tar -xf /tmp/src.tar -C $M/x
	cold; m readtree readtree
	if git version >/dev/null 2>&1; then
		mkdir $M/git
		(cd $M/git && git init -q && tar -xf /tmp/src.tar && git add -A && git -c user.name=n -c user.email=e commit -qm c) >/dev/null
		status
		m gitstatus status
	fi
	rm -rf $M/x $M/git
	mkdir $M/watched
	echo "@@WATCH"
	timeout 60 $B watch $M/watched
}
