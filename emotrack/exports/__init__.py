"""Files out: what was said and read, in the formats that other tools open. Rows in, bytes out."""
