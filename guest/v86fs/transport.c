// SPDX-License-Identifier: GPL-2.0-only
/*
 * The virtio side: requests on two queues, notifications on a third.
 *
 * A device answers most requests before the notification of the queue returns.
 * So the used ring is looked at right after the kick, with interrupts of the
 * queue suppressed; only what is not answered by then interrupts.
 */
#include <linux/cred.h>
#include <linux/module.h>
#include <linux/pid.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/virtio_config.h>
#include <linux/wait.h>
#include <asm/unaligned.h>
#include "v86fs.h"

enum { VQ_HIPRI, VQ_REQUEST, VQ_NOTIFY, VQ_COUNT };

#define NOTIFY_BUFFERS	64

struct v86fs_queue {
	struct virtqueue *vq;
	spinlock_t lock;
	wait_queue_head_t room;
};

struct v86fs_device {
	refcount_t ref;
	struct virtio_device *vdev;
	struct v86fs_queue q[VQ_COUNT];
	atomic_t tag;
	bool gone;
	unsigned int max_data, max_name, max_forget, notify_size;
	struct work_struct notify_work;
	void *notify[NOTIFY_BUFFERS];
};

static struct v86fs_device *the_device;
static DEFINE_MUTEX(the_device_lock);

struct v86fs_device *v86fs_device_get(void)
{
	struct v86fs_device *dev;

	mutex_lock(&the_device_lock);
	dev = the_device;
	if (dev)
		refcount_inc(&dev->ref);
	mutex_unlock(&the_device_lock);
	return dev;
}

void v86fs_device_put(struct v86fs_device *dev)
{
	int i;

	if (!refcount_dec_and_test(&dev->ref))
		return;
	for (i = 0; i < NOTIFY_BUFFERS; i++)
		kfree(dev->notify[i]);
	kfree(dev);
}

bool v86fs_device_gone(struct v86fs_device *dev)
{
	return READ_ONCE(dev->gone);
}

unsigned int v86fs_max_data(struct v86fs_device *dev)
{
	return dev->max_data;
}

unsigned int v86fs_max_name(struct v86fs_device *dev)
{
	return dev->max_name;
}

unsigned int v86fs_max_forget(struct v86fs_device *dev)
{
	return dev->max_forget;
}

/*
 * v86fs_req_new - begin a request of a message of out_len bytes, which is zero
 * behind its prefix, and a response of in_len
 */
struct v86fs_req *v86fs_req_new(struct v86fs_sb *s, u8 type, u64 node, unsigned int out_len,
				unsigned int in_len)
{
	unsigned int room = ALIGN(out_len, 8);
	struct v86fs_request *q;
	struct v86fs_req *req = kzalloc(sizeof(*req) + room + in_len, GFP_NOFS);

	if (!req)
		return NULL;
	refcount_set(&req->ref, 1);
	init_completion(&req->done);
	req->dev = s->dev;
	req->out = req + 1;
	req->in = req->out + room;
	req->in_len = in_len;
	req->began = atomic64_read(&s->seq);
	q = req->out;
	q->length = cpu_to_le32(out_len);
	q->type = type;
	q->mount = cpu_to_le32(s->mount);
	q->uid = cpu_to_le32(from_kuid_munged(&init_user_ns, current_fsuid()));
	q->gid = cpu_to_le32(from_kgid_munged(&init_user_ns, current_fsgid()));
	q->pid = cpu_to_le32(task_tgid_nr(current));
	q->node = cpu_to_le64(node);
	switch (type) {
	case V86FS_READ2:
	case V86FS_WRITE2:
	case V86FS_READDIR2:
	case V86FS_FSYNC2:
	case V86FS_SYNCFS:
	case V86FS_FALLOCATE:
	case V86FS_COPY_RANGE:
		break;
	default:
		req->urgent = true;
	}
	return req;
}

/* v86fs_req_pages - let len bytes, from an offset in the first page on, be the data */
int v86fs_req_pages(struct v86fs_req *req, struct page **pages, unsigned int n, unsigned int from,
		    size_t len, bool out)
{
	unsigned int i;

	req->sg = kmalloc_array(n, sizeof(*req->sg), GFP_NOFS);
	if (!req->sg)
		return -ENOMEM;
	sg_init_table(req->sg, n);
	for (i = 0; i < n; i++) {
		unsigned int here = min_t(size_t, len, PAGE_SIZE - from);

		sg_set_page(&req->sg[i], pages[i], here, from);
		len -= here;
		from = 0;
	}
	if (out)
		req->out_pages = n;
	else
		req->in_pages = n;
	return 0;
}

/* v86fs_req_result - have the data of the response in a buffer of up to len bytes */
int v86fs_req_result(struct v86fs_req *req, unsigned int len)
{
	unsigned int n = DIV_ROUND_UP(len, PAGE_SIZE), i;
	struct page **pages;
	int err = -ENOMEM;

	if (!len)
		return 0;
	/* The ring wants pages, and vmalloc has them wherever they are. */
	req->result = kvmalloc(len, GFP_NOFS);
	pages = kmalloc_array(n + 1, sizeof(*pages), GFP_NOFS);
	if (req->result && pages) {
		void *p = (void *)((unsigned long)req->result & PAGE_MASK);

		n = DIV_ROUND_UP(offset_in_page(req->result) + len, PAGE_SIZE);
		for (i = 0; i < n; i++, p += PAGE_SIZE)
			pages[i] = is_vmalloc_addr(p) ? vmalloc_to_page(p) : virt_to_page(p);
		err = v86fs_req_pages(req, pages, n, offset_in_page(req->result), len, false);
		req->result_len = len;
	}
	kfree(pages);
	return err;
}

void v86fs_req_put(struct v86fs_req *req)
{
	struct scatterlist *sg;
	int i;

	if (!req || !refcount_dec_and_test(&req->ref))
		return;
	if (req->put_pages)
		for_each_sg(req->sg, sg, req->out_pages + req->in_pages, i)
			put_page(sg_page(sg));
	kfree(req->sg);
	kvfree(req->result);
	kfree(req);
}

static int status_of(struct v86fs_req *req, unsigned int used)
{
	const struct v86fs_response *r = req->in;
	const struct v86fs_request *q = req->out;
	u32 status;

	if (req->silent)
		return 0;
	/* A device that cannot read a request writes nothing. */
	if (used < sizeof(*r) || r->type != (q->type | V86FS_RESPONSE) ||
	    get_unaligned_le16(r->tag) != req->tag)
		return -EIO;
	status = le32_to_cpu(r->status);
	if (status)
		return status < MAX_ERRNO ? -(int)status : -EIO;
	req->data = le32_to_cpu(r->data);
	if (used < req->in_len || req->data > used - req->in_len)
		return -EIO;
	return 0;
}

static void finish(struct v86fs_req *req)
{
	if (req->end)
		req->end(req);
	complete(&req->done);
	v86fs_req_put(req);
}

/* Takes what the device has answered off the ring; the queue is locked. */
static void drain(struct v86fs_queue *q, struct list_head *answered)
{
	struct v86fs_req *req;
	unsigned int used;

	while ((req = virtqueue_get_buf(q->vq, &used))) {
		req->err = status_of(req, used);
		list_add_tail(&req->answered, answered);
	}
	if (!list_empty(answered) && waitqueue_active(&q->room))
		wake_up(&q->room);
}

static void finish_all(struct list_head *answered)
{
	struct v86fs_req *req, *next;

	list_for_each_entry_safe(req, next, answered, answered) {
		list_del(&req->answered);
		finish(req);
	}
}

static void request_done(struct virtqueue *vq)
{
	struct v86fs_device *dev = vq->vdev->priv;
	struct v86fs_queue *q = &dev->q[vq->index];
	LIST_HEAD(answered);
	unsigned long flags;

	spin_lock_irqsave(&q->lock, flags);
	do {
		virtqueue_disable_cb(vq);
		drain(q, &answered);
	} while (!virtqueue_enable_cb(vq));
	spin_unlock_irqrestore(&q->lock, flags);
	finish_all(&answered);
}

/* Adds a request; -ENOSPC when the ring is full. The queue is locked. */
static int add(struct v86fs_queue *q, struct v86fs_req *req)
{
	struct scatterlist out, in, *sgs[4];
	unsigned int n_out = 0, n_in = 0;

	sg_init_one(&out, req->out, req->out_len);
	sgs[n_out++] = &out;
	if (req->out_pages)
		sgs[n_out++] = req->sg;
	if (!req->silent) {
		sg_init_one(&in, req->in, req->in_len);
		sgs[n_out + n_in++] = &in;
	}
	if (req->in_pages)
		sgs[n_out + n_in++] = req->sg;
	return virtqueue_add_sgs(q->vq, sgs, n_out, n_in, req, GFP_ATOMIC);
}

/*
 * v86fs_req_send - give a request, whose message is whole, to the device
 *
 * If it fails, its end is not called.
 */
int v86fs_req_send(struct v86fs_req *req)
{
	struct v86fs_device *dev = req->dev;
	struct v86fs_queue *q = &dev->q[req->urgent ? VQ_HIPRI : VQ_REQUEST];
	struct v86fs_request *msg = req->out;
	LIST_HEAD(answered);
	unsigned long flags;
	int err;

	req->tag = atomic_inc_return(&dev->tag);
	req->out_len = le32_to_cpu(msg->length);
	put_unaligned_le16(req->tag, msg->tag);
	refcount_inc(&req->ref);
	for (;;) {
		spin_lock_irqsave(&q->lock, flags);
		err = dev->gone ? -EIO : add(q, req);
		if (!err) {
			virtqueue_disable_cb(q->vq);
			virtqueue_kick(q->vq);
			do {
				virtqueue_disable_cb(q->vq);
				drain(q, &answered);
				/* What is not answered yet will interrupt. */
			} while (!virtqueue_enable_cb(q->vq));
		}
		spin_unlock_irqrestore(&q->lock, flags);
		finish_all(&answered);
		/* Without memory for an indirect table it says ENOMEM. */
		if (err != -ENOSPC && err != -ENOMEM)
			break;
		if (!wait_event_timeout(q->room, dev->gone || q->vq->num_free >= 4, HZ / 50) &&
		    fatal_signal_pending(current)) {
			err = -EINTR;
			break;
		}
	}
	if (err)
		v86fs_req_put(req);
	return err;
}

/* v86fs_req_wait - wait for the answer of a request that was sent */
int v86fs_req_wait(struct v86fs_req *req)
{
	int err = wait_for_completion_killable(&req->done);

	return err ?: req->err;	/* the ring's reference frees it later */
}

int v86fs_req_call(struct v86fs_req *req)
{
	return v86fs_req_send(req) ?: v86fs_req_wait(req);
}

int v86fs_req_call_put(struct v86fs_req *req)
{
	int err = v86fs_req_call(req);

	v86fs_req_put(req);
	return err;
}

/* Gives a notification buffer to the device; the queue is locked. */
static void post_notify(struct v86fs_device *dev, void *buf)
{
	struct scatterlist sg;

	sg_init_one(&sg, buf, dev->notify_size);
	virtqueue_add_inbuf(dev->q[VQ_NOTIFY].vq, &sg, 1, buf, GFP_ATOMIC);
}

static void notify_done(struct virtqueue *vq)
{
	struct v86fs_device *dev = vq->vdev->priv;

	schedule_work(&dev->notify_work);
}

/* Handles notifications where sleeping is allowed. */
static void notify_work(struct work_struct *work)
{
	struct v86fs_device *dev = container_of(work, struct v86fs_device, notify_work);
	struct v86fs_queue *q = &dev->q[VQ_NOTIFY];
	unsigned int len;
	void *buf;

	for (;;) {
		spin_lock_irq(&q->lock);
		buf = dev->gone ? NULL : virtqueue_get_buf(q->vq, &len);
		spin_unlock_irq(&q->lock);
		if (!buf)
			return;
		v86fs_notified(dev, buf, min(len, dev->notify_size));
		spin_lock_irq(&q->lock);
		if (!dev->gone) {
			post_notify(dev, buf);
			virtqueue_kick(q->vq);
		}
		spin_unlock_irq(&q->lock);
	}
}

static int configure(struct v86fs_device *dev)
{
	struct virtio_device *vdev = dev->vdev;

	if (!virtio_has_feature(vdev, V86FS_F_EXTENDED) || !virtio_has_feature(vdev, V86FS_F_ASYNC)) {
		dev_err(&vdev->dev, "the device speaks the base protocol only\n");
		return -ENODEV;
	}
	virtio_cread_le(vdev, struct v86fs_config, max_data, &dev->max_data);
	virtio_cread_le(vdev, struct v86fs_config, max_name, &dev->max_name);
	virtio_cread_le(vdev, struct v86fs_config, max_forget, &dev->max_forget);
	virtio_cread_le(vdev, struct v86fs_config, notify_size, &dev->notify_size);
	if (dev->max_data < PAGE_SIZE || !dev->max_forget || dev->notify_size < 64 ||
	    dev->notify_size > PAGE_SIZE) {
		dev_err(&vdev->dev, "the device's limits make no sense\n");
		return -EINVAL;
	}
	dev->max_data = min_t(unsigned int, dev->max_data, 1 << 20);
	dev->max_forget = min(dev->max_forget, 256U);
	return 0;
}

static int v86fs_probe(struct virtio_device *vdev)
{
	vq_callback_t *callbacks[] = { request_done, request_done, notify_done };
	static const char * const names[] = { "hipriq", "requestq", "notifyq" };
	struct virtqueue *vqs[VQ_COUNT];
	struct v86fs_device *dev;
	unsigned int buffers, i;
	int err;

	dev = kzalloc(sizeof(*dev), GFP_KERNEL);
	if (!dev)
		return -ENOMEM;
	refcount_set(&dev->ref, 1);
	dev->vdev = vdev;
	vdev->priv = dev;
	INIT_WORK(&dev->notify_work, notify_work);
	err = configure(dev);
	if (err)
		goto fail;
	for (i = 0; i < NOTIFY_BUFFERS; i++) {
		dev->notify[i] = kmalloc(dev->notify_size, GFP_KERNEL);
		if (!dev->notify[i]) {
			err = -ENOMEM;
			goto fail;
		}
	}
	err = virtio_find_vqs(vdev, VQ_COUNT, vqs, callbacks, names, NULL);
	if (err)
		goto fail;
	for (i = 0; i < VQ_COUNT; i++) {
		dev->q[i].vq = vqs[i];
		spin_lock_init(&dev->q[i].lock);
		init_waitqueue_head(&dev->q[i].room);
	}
	mutex_lock(&the_device_lock);
	err = the_device ? -EBUSY : 0;
	if (!err)
		the_device = dev;
	mutex_unlock(&the_device_lock);
	if (err) {
		dev_warn(&vdev->dev, "only one v86fs device is used\n");
		vdev->config->del_vqs(vdev);
		goto fail;
	}
	virtio_device_ready(vdev);
	buffers = min_t(unsigned int, NOTIFY_BUFFERS, virtqueue_get_vring_size(vqs[VQ_NOTIFY]));
	spin_lock_irq(&dev->q[VQ_NOTIFY].lock);
	for (i = 0; i < buffers; i++)
		post_notify(dev, dev->notify[i]);
	virtqueue_kick(dev->q[VQ_NOTIFY].vq);
	spin_unlock_irq(&dev->q[VQ_NOTIFY].lock);
	return 0;
fail:
	v86fs_device_put(dev);
	return err;
}

static void v86fs_remove(struct virtio_device *vdev)
{
	struct v86fs_device *dev = vdev->priv;
	struct v86fs_req *req;
	int i;

	mutex_lock(&the_device_lock);
	if (the_device == dev)
		the_device = NULL;
	mutex_unlock(&the_device_lock);
	for (i = 0; i < VQ_COUNT; i++) {
		spin_lock_irq(&dev->q[i].lock);
		dev->gone = true;
		spin_unlock_irq(&dev->q[i].lock);
		wake_up_all(&dev->q[i].room);
	}
	virtio_reset_device(vdev);
	cancel_work_sync(&dev->notify_work);
	for (i = 0; i < VQ_NOTIFY; i++) {
		while ((req = virtqueue_detach_unused_buf(dev->q[i].vq))) {
			req->err = -EIO;
			finish(req);
		}
	}
	vdev->config->del_vqs(vdev);
	v86fs_device_put(dev);
}

static const unsigned int features[] = { V86FS_F_EXTENDED, V86FS_F_ASYNC, V86FS_F_EVENTS };

static const struct virtio_device_id id_table[] = {
	{ V86FS_VIRTIO_ID, VIRTIO_DEV_ANY_ID },
	{ 0 },
};
MODULE_DEVICE_TABLE(virtio, id_table);

static struct virtio_driver v86fs_driver = {
	.driver.name		= "v86fs",
	.driver.owner		= THIS_MODULE,
	.feature_table		= features,
	.feature_table_size	= ARRAY_SIZE(features),
	.id_table		= id_table,
	.probe			= v86fs_probe,
	.remove			= v86fs_remove,
};

int v86fs_transport_init(void)
{
	return register_virtio_driver(&v86fs_driver);
}

void v86fs_transport_exit(void)
{
	unregister_virtio_driver(&v86fs_driver);
}
