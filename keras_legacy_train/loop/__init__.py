"""Runs the loop on the host: its schedule, the callbacks it tells, its epochs, and the reasons to stop.

May import `programs.base`, the protocol of what it runs, and errors; it knows neither graphs nor models nor
monitors.
"""
