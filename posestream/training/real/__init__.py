"""Real photos as training samples: importers, teacher labels, cut-outs. Shards are the result."""
