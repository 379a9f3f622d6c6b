package v86fs

// AddLatency is for tests.
var AddLatency = (*Latency).add
