"""A record of promises: what each night's model said, and how it did when measurements came."""
