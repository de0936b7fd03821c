"""The live panel: a page of our own in the browser, served on loopback alone."""
