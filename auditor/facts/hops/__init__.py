"""The hops of a path, each judged from facts and inventory: clients, connection, load balancer."""
