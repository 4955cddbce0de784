// Package capacity is for holding as many WebSockets as somebody asks for: the open files of nginx.service and of the
// nginx that runs, and the connections that the kernel lets wait. What nginx's own configuration says is proxy's.
package capacity
