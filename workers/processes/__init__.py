"""What the processes are made of: the queue, the relay, the leader, the supervisor."""
