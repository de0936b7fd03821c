"""Bytes on the wire: encoders and parsers without sockets or clocks."""
