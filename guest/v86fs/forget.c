// SPDX-License-Identifier: GPL-2.0-only
/* Giving back lookups of nodes that the guest has no more use for. */
#include <linux/slab.h>
#include "v86fs.h"

#define FORGET_DELAY	(HZ / 4)	/* jiffies that they are gathered for */

struct forgotten {
	struct list_head list;
	u64 node, lookups;
};

/* Takes up to a message's worth off the list. */
static unsigned int take(struct v86fs_sb *s, struct list_head *some)
{
	unsigned int n = 0, most = v86fs_max_forget(s->dev);

	spin_lock(&s->forget_lock);
	while (n < most && !list_empty(&s->forgets)) {
		list_move_tail(s->forgets.next, some);
		n++;
	}
	s->forget_count -= n;
	spin_unlock(&s->forget_lock);
	return n;
}

static void send(struct v86fs_sb *s, struct list_head *some, unsigned int n)
{
	struct v86fs_req *req = v86fs_req_new(s, V86FS_FORGET, 0, sizeof(struct v86fs_forget) +
					      n * sizeof(struct v86fs_forget_one), 0);
	struct forgotten *f, *next;
	struct v86fs_forget *q;
	unsigned int i = 0;

	if (req) {
		q = req->out;
		q->count = cpu_to_le32(n);
		req->silent = true;
	}
	list_for_each_entry_safe(f, next, some, list) {
		if (req) {
			q->one[i].node = cpu_to_le64(f->node);
			q->one[i++].lookups = cpu_to_le64(f->lookups);
		}
		kfree(f);
	}
	/* What is not sent costs the device memory until the unmount. */
	if (req)
		v86fs_req_send(req);
	v86fs_req_put(req);
}

static void forget_work(struct work_struct *work)
{
	struct v86fs_sb *s = container_of(work, struct v86fs_sb, forget_work.work);
	unsigned int n;

	for (;;) {
		LIST_HEAD(some);

		n = take(s, &some);
		if (!n)
			break;
		send(s, &some, n);
	}
}

void v86fs_forget_init(struct v86fs_sb *s)
{
	spin_lock_init(&s->forget_lock);
	INIT_LIST_HEAD(&s->forgets);
	INIT_DELAYED_WORK(&s->forget_work, forget_work);
}

/* v86fs_forget - give back lookups of a node, soon */
void v86fs_forget(struct v86fs_sb *s, u64 node, u64 lookups)
{
	struct forgotten *f;
	bool many;

	if (!lookups)
		return;
	f = kmalloc(sizeof(*f), GFP_NOFS | __GFP_NOFAIL);
	f->node = node;
	f->lookups = lookups;
	spin_lock(&s->forget_lock);
	list_add_tail(&f->list, &s->forgets);
	many = ++s->forget_count >= v86fs_max_forget(s->dev);
	spin_unlock(&s->forget_lock);
	if (many)
		mod_delayed_work(system_wq, &s->forget_work, 0);
	else
		schedule_delayed_work(&s->forget_work, FORGET_DELAY);
}

/* v86fs_forget_end - drop what is left; the mount goes, and its nodes with it */
void v86fs_forget_end(struct v86fs_sb *s)
{
	LIST_HEAD(some);
	struct forgotten *f, *next;

	cancel_delayed_work_sync(&s->forget_work);
	spin_lock(&s->forget_lock);
	list_splice_init(&s->forgets, &some);
	s->forget_count = 0;
	spin_unlock(&s->forget_lock);
	list_for_each_entry_safe(f, next, &some, list)
		kfree(f);
}
