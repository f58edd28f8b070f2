"""Measurements that back up the figures in docs/performance.md."""
