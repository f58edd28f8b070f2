"""The processes around the API: worker, scheduler, command line, and all of them at once."""
