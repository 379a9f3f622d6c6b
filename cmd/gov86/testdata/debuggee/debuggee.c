/* A program without an operating system, for a debugger to look at. */

struct point {
	int x, y;
};

volatile struct point target;
volatile int history[8];
volatile double ratio;

static int square(int v)
{
	int r = v * v;
	return r;
}

int work(int n)
{
	int sum = 0;
	for (int i = 0; i < n; i++) {
		history[i & 7] = i;
		sum += square(i);
	}
	target.x = sum;
	target.y = target.x + 1;
	return sum;
}

static void put(char c)
{
	__asm__ volatile("outb %0, %1" : : "a"(c), "d"((short)0x3f8));
}

void idle(void)
{
	put('o');
	put('k');
	for (;;)
		work(1);
}

void start(void)
{
	ratio = 1.5;
	work(5);
	idle();
}
