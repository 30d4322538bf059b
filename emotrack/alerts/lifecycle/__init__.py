"""An alert from its first firing to its end, and what people do with it meanwhile."""
